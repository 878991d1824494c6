// What a reconciliation found, in words for people or as JSON for programs. Differences are written as they are
// explained, one after the other.

import Glibc
import StockTools

struct ReconcileReport {
    let json: Bool
    /// Differences that are named in words.
    let show: Int

    // MARK: The comparison

    func write(_ problem: RecordProblem) {
        guard json else { return warn("line \(problem.line): \(problem.problem)") }
        var line = JSONLine()
        line.add("kind", "bad-row")
        line.add("line", problem.line)
        line.add("problem", problem.problem)
        writeAll(STDOUT_FILENO, line.line)
    }

    func write(_ comparison: Comparison, explaining explainer: consuming Explainer, _ directory: String) throws {
        let summary = comparison.summary
        if !json { writeAll(STDOUT_FILENO, heading(comparison, directory)) }
        var named = 0
        let explainer = explainer
        try comparison.forEachDifference { difference in
            named += 1
            guard json || named <= show else { return }
            let explanation = try explainer.explain(difference)
            writeAll(STDOUT_FILENO, json ? object(difference, explanation) : text(difference, explanation))
        }
        if json {
            writeAll(STDOUT_FILENO, object(summary, comparison))
        } else if named > show {
            writeAll(STDOUT_FILENO, "… and \(grouped(named - show)) more (--show \(named))\n")
        }
    }

    private func heading(_ comparison: Comparison, _ directory: String) -> String {
        let summary = comparison.summary
        var text = """
            \(comparison.record.name) against \(directory) at event \(summary.sequence), by \(comparison.kind.rawValue): \
            \(grouped(summary.equal)) equal, \(grouped(summary.drifting)) drifting, \(grouped(summary.onlyHere)) only here, \
            \(grouped(summary.onlyThere)) only there
            """
        if summary.bad > 0 { text += ", \(counted(summary.bad, "row")) that cannot be compared" }
        return text + "\n"
    }

    private func text(_ difference: Difference, _ explanation: Explanation?) -> String {
        let (here, there) = (difference.here ?? 0, difference.there ?? 0)
        switch difference.kind {
        case .onlyHere: return "only here   \(difference.sku)  here \(here); never repaired: the record may be cut off\n"
        case .onlyThere: return "only there  \(difference.sku)  there \(there)\n"
        case .drift: break
        }
        let (gap, _) = there.subtractingReportingOverflow(here)
        var text = "drift       \(difference.sku)  here \(here), there \(there): "
            + "\(grouped(gap.magnitude)) too \(gap > 0 ? "many" : "few") there\n"
        guard let explanation else { return text }
        text += "            \(words(explanation))\n"
        if explanation.entryCount > explanation.entries.count {
            text += "              … \(grouped(explanation.entryCount - explanation.entries.count)) before these\n"
        }
        for entry in explanation.entries {
            var words = ["\(entry.sequence)", entry.time, entry.kind]
            if let id = entry.id { words.append(id) }
            if let order = entry.order, order != entry.id { words.append("of \(order)") }
            if let buyer = entry.buyer { words.append("by \(buyer)") }
            words.append(entry.change > 0 ? "+\(entry.change)" : "\(entry.change)")
            if let reason = entry.reason { words.append("(\(reason))") }
            text += "              \(words.joined(separator: "  "))\n"
        }
        return text
    }

    private func words(_ explanation: Explanation) -> String {
        let since =
            explanation.agreedAt > 0 ? "since both agreed at event \(explanation.agreedAt)" : "as far as the history goes"
        let cut = explanation.isHistoryCut ? " (older changes were not looked at)" : ""
        switch explanation.finding {
        case .holdsTakenOff:
            return "the record leaves held units out: it counts what is available (--count available). Open holds:"
        case .holdsLeftIn:
            return "the record has held units in: it counts what is on hand (--count onhand). Open holds:"
        case .behind:
            return "explained: the record has not seen the newest \(counted(explanation.entryCount, "change")):"
        case .missed(let alternatives):
            let others = alternatives > 0 ? " (\(counted(alternatives, "other")) would fit as well)" : ""
            return "explained: the record has seen all \(since) but this\(others):"
        case .elsewhere where explanation.examined == 0:
            return "nothing changed here \(since)\(cut): the difference was made in the record alone"
        case .elsewhere:
            return "\(counted(explanation.examined, "change")) \(since)\(cut), and none makes the difference: it was made in "
                + "the record alone"
        }
    }

    private func object(_ difference: Difference, _ explanation: Explanation?) -> String {
        var line = JSONLine()
        switch difference.kind {
        case .drift: line.add("kind", "drift")
        case .onlyHere: line.add("kind", "only-here")
        case .onlyThere: line.add("kind", "only-there")
        }
        line.add("sku", difference.sku)
        line.add("here", ifAny: difference.here)
        line.add("there", ifAny: difference.there)
        guard let explanation else { return line.line }
        switch explanation.finding {
        case .holdsTakenOff: line.add("finding", "holds-taken-off")
        case .holdsLeftIn: line.add("finding", "holds-left-in")
        case .behind: line.add("finding", "behind")
        case .missed(let alternatives):
            line.add("finding", "missed")
            line.add("alternatives", alternatives)
        case .elsewhere: line.add("finding", "elsewhere")
        }
        line.add("agreed_at", explanation.agreedAt)
        line.add("examined", explanation.examined)
        line.add("history_cut", explanation.isHistoryCut)
        line.add("explained_by", explanation.entryCount)
        line.add("entries", explanation.entries.map(object))
        return line.line
    }

    private func object(_ entry: HistoryEntry) -> JSONLine {
        var line = JSONLine()
        line.add("seq", entry.sequence)
        line.add("time", entry.time)
        line.add("kind", entry.kind)
        line.add("id", ifAny: entry.id)
        line.add("order", ifAny: entry.order)
        line.add("buyer", ifAny: entry.buyer)
        line.add("change", entry.change)
        line.add("reason", ifAny: entry.reason)
        return line
    }

    private func object(_ summary: ComparisonSummary, _ comparison: Comparison) -> String {
        var line = JSONLine()
        line.add("kind", "summary")
        line.add("against", comparison.record.name)
        line.add("count", comparison.kind.rawValue)
        line.add("seq", summary.sequence)
        line.add("rows", summary.rows)
        line.add("bad_rows", summary.bad)
        line.add("equal", summary.equal)
        line.add("drifting", summary.drifting)
        line.add("only_here", summary.onlyHere)
        line.add("only_there", summary.onlyThere)
        line.add("differences", summary.differences)
        return line.line
    }

    // MARK: The repair

    /// The plan before it is applied.
    static func text(of plan: RepairPlan, savedIn path: String) -> String {
        var text = "plan \(path): \(counted(plan.steps.count, "step"))\n"
        for step in plan.steps {
            switch step {
            case .adjust(let sku, let delta): text += "  adjust  \(sku)  \(delta > 0 ? "+" : "")\(delta)\n"
            case .create(let sku, let onhand): text += "  create  \(sku)  \(onhand)\n"
            }
        }
        return text
    }

    func write(_ report: RepairReport, of plan: RepairPlan, savedIn path: String) {
        guard json else {
            for (step, reply) in report.refused {
                warn("\(step.sku): the server refused it: \(reply). What is promised stands; see 'stockade history sku'")
            }
            let before = report.doneBefore > 0 ? ", \(grouped(report.doneBefore)) done before" : ""
            let refused = report.refused.isEmpty ? "" : ", \(grouped(report.refused.count)) refused"
            let place = report.sequence.map { ", on disk up to event \($0)" } ?? ""
            writeAll(STDOUT_FILENO, "repaired: \(counted(report.done, "step"))\(before)\(refused)\(place)\n")
            return
        }
        var line = JSONLine()
        line.add("kind", "repair")
        line.add("plan", path)
        line.add("done", report.done)
        line.add("done_before", report.doneBefore)
        line.add("refused", report.refused.map { step, reply in
            var line = JSONLine()
            line.add("sku", step.sku)
            line.add("reply", reply)
            return line
        })
        line.add("seq", ifAny: report.sequence)
        writeAll(STDOUT_FILENO, line.line)
    }
}
