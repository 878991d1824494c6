// Events as text: words for people and grep, JSON for programs. Both show the same fields in the same order; which
// fields an event has is said once, in `fields(of:)`.

import Glibc
import StockModel
import StockServer

/// Writes events to stdout and knows the names of the SKUs that it has seen created.
struct EventText {
    enum Format {
        /// `17 2026-11-21T07:33:48.123Z reserved o-1 ttl=900000 … phone 2 onhand=3 held=2 sold=0`
        case words
        /// `{"seq":17,"at":…,"kind":"reserved","id":"o-1",…,"lines":[{"sku":"phone",…}]}`
        case json
    }

    private let format: Format
    private var names: [UInt32: [UInt8]] = [:]
    /// The events of a frame have one time: its text is made once.
    private var time = (milliseconds: Int64(0), text: UTCTime(0).description)
    private var output: [UInt8] = []
    private static let outputLimit = 1 << 16

    init(format: Format) {
        self.format = format
        output.reserveCapacity(Self.outputLimit * 2)
    }

    /// Remembers the name that `created` gives.
    mutating func learn(_ event: Event) {
        if case .created(let ordinal, let sku, _, _) = event { names[ordinal] = Array(sku.bytes) }
    }

    /// One line; `false` when nobody reads any more.
    mutating func write(_ event: Event, sequence: UInt64, time milliseconds: Int64) -> Bool {
        if milliseconds != time.milliseconds { time = (milliseconds, UTCTime(milliseconds).description) }
        switch format {
        case .words: append("\(sequence) \(time.text) \(event.kind)")
        case .json:
            append("{\"seq\":\(sequence),\"at\":\(milliseconds),\"time\":\"\(time.text)\",\"kind\":\"\(event.kind)\"")
        }
        fields(of: event)
        append(format == .json ? "}\n" : "\n")
        return output.count < Self.outputLimit || flush()
    }

    /// Hands over what is gathered; `false` when nobody reads any more.
    mutating func flush() -> Bool {
        defer { output.removeAll(keepingCapacity: true) }
        return output.withUnsafeBytes { writeAll(STDOUT_FILENO, $0) }
    }

    // MARK: What an event has

    private mutating func fields(of event: Event) {
        switch event {
        case .created(let ordinal, _, let onhand, let settings):
            subject("sku", name(of: ordinal))
            field("ordinal", Int64(ordinal))
            field("onhand", onhand)
            self.settings(settings)
        case .adjusted(let id, let line, let forced, let reason):
            subject("id", Array(id.bytes))
            optional("reason", reason)
            fact("forced", forced)
            lines([line])
        case .counted(let id, let line, let forced):
            if let id { subject("id", Array(id.bytes)) }
            fact("forced", forced)
            lines([line])
        case .configured(let ordinal, let settings):
            subject("sku", name(of: ordinal))
            self.settings(settings)
        case .transferred(let id, let from, let to):
            subject("id", Array(id.bytes))
            lines([from, to])
        case .dropped(let ordinal):
            subject("sku", name(of: ordinal))
        case .deducted(let id, let lines, let buyer, let born):
            subject("id", Array(id.bytes))
            optional("buyer", buyer)
            optional("born", born)
            self.lines(lines)
        case .reserved(let id, let lines, let buyer, let born, let ttl, let expires):
            subject("id", Array(id.bytes))
            field("ttl", ttl)
            field("expires", expires.milliseconds)
            optional("buyer", buyer)
            optional("born", born)
            self.lines(lines)
        case .confirmed(let id, let lines, let late):
            subject("id", Array(id.bytes))
            fact("late", late)
            self.lines(lines)
        case .cancelled(let id, let lines, let reason):
            subject("id", Array(id.bytes))
            optional("reason", reason)
            self.lines(lines)
        case .emptyCancelled(let id, let born, let reason):
            subject("id", Array(id.bytes))
            optional("born", born)
            optional("reason", reason)
        case .extended(let id, let expires):
            subject("id", Array(id.bytes))
            field("expires", expires.milliseconds)
        case .returned(let key, let order, let lines, let whole, let complete):
            subject("id", Array(key.bytes))
            text("order", Array(order.bytes))
            fact("whole", whole)
            fact("complete", complete)
            self.lines(lines)
        case .expired(let id, let lines):
            subject("id", Array(id.bytes))
            self.lines(lines)
        case .forgot(let through, let endedBy, let count):
            field("through", Int64(clamping: through))
            field("ended-by", endedBy.milliseconds)
            field("count", Int64(clamping: count))
        }
    }

    private mutating func settings(_ settings: SettingsAfter) {
        field("floor", settings.floor)
        field("limit", settings.limit)
        if settings.opens != 0 { field("opens", settings.opens) }
        if settings.closes != 0 { field("closes", settings.closes) }
        fact("paused", settings.paused)
    }

    // MARK: How a field looks

    /// What the event is about: the one word without a name in front of it.
    private mutating func subject(_ name: StaticString, _ value: [UInt8]) {
        switch format {
        case .words: append(" ", value)
        case .json: text(name, value)
        }
    }

    private mutating func text(_ name: StaticString, _ value: [UInt8]) {
        switch format {
        case .words: append(" \(name)=", value)
        case .json:
            append(",\"\(name)\":")
            appendQuoted(value)
        }
    }

    private mutating func field(_ name: StaticString, _ value: Int64) {
        append(format == .words ? " \(name)=\(value)" : ",\"\(name)\":\(value)")
    }

    /// A yes or no, shown when it is yes.
    private mutating func fact(_ name: StaticString, _ isSo: Bool) {
        guard isSo else { return }
        append(format == .words ? " \(name)=1" : ",\"\(name)\":true")
    }

    private mutating func optional(_ name: StaticString, _ token: Token?) {
        if let token { text(name, Array(token.bytes)) }
    }

    private mutating func optional(_ name: StaticString, _ time: Timestamp?) {
        if let time { field(name, time.milliseconds) }
    }

    private mutating func lines(_ lines: some Collection<EventLine>) {
        if format == .json { append(",\"lines\":[") }
        var isFirst = true
        for line in lines {
            let name = name(of: line.ordinal)
            let after = line.after
            switch format {
            case .words:
                append(" ", name)
                append(" \(line.quantity) onhand=\(after.onhand) held=\(after.held) sold=\(after.sold)")
            case .json:
                append(isFirst ? "{\"sku\":" : ",{\"sku\":")
                appendQuoted(name)
                append(",\"ordinal\":\(line.ordinal),\"quantity\":\(line.quantity)")
                append(",\"onhand\":\(after.onhand),\"held\":\(after.held),\"sold\":\(after.sold)}")
            }
            isFirst = false
        }
        if format == .json { append("]") }
    }

    private func name(of ordinal: UInt32) -> [UInt8] {
        names[ordinal] ?? Array("#\(ordinal)".utf8)
    }

    private mutating func append(_ text: String, _ bytes: [UInt8] = []) {
        output.append(contentsOf: text.utf8)
        output.append(contentsOf: bytes)
    }

    /// Tokens are printable ASCII: two of their bytes mean something in JSON.
    private mutating func appendQuoted(_ token: [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in token {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }
}
