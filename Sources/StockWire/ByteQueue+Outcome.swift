// The ledger's answers as reply lines: one case, one line of the tables in Protocol/README.md. Positional words come
// first, then `key=value`, and the lines of an order last.

import StockModel

extension ByteQueue {
    /// Writes what the ledger answered.
    ///
    /// - Parameter readOnlyReason: why the log cannot be written; only `-READONLY` says it.
    public mutating func write(
        _ outcome: Outcome, readOnlyReason: String = "the log cannot be written"
    ) {
        switch outcome {
        case .created(let sku, let sequence):
            line(room: sku.count) { $0.put("+CREATED "); $0.put(sku); $0.sequence(sequence) }
        case .adjusted(let id, let onhand, let sequence, let replay):
            line(room: id.count) {
                $0.put("+ADJUSTED ")
                $0.put(id)
                if let onhand {
                    $0.put(" onhand=")
                    $0.put(onhand)
                }
                $0.sequence(sequence)
                $0.replay(replay)
            }
        case .stock(let view, let replay):
            line(room: view.sku.count) { $0.stock(view); $0.replay(replay) }
        case .transferred(let id, let sequence, let replay):
            line(room: id.count) { $0.put("+TRANSFERRED "); $0.put(id); $0.sequence(sequence); $0.replay(replay) }
        case .dropped(let sku, let sequence):
            line(room: sku.count) { $0.put("+DROPPED "); $0.put(sku); $0.sequence(sequence) }
        case .sold(let id, let sequence, let available, let replay):
            writeSold(id, sequence, available: available, replay: replay)
        case .held(let id, let sequence, let available, let expires, let replay):
            line(room: id.count) {
                $0.put("+HELD ")
                $0.put(id)
                $0.sequence(sequence)
                $0.available(available)
                $0.put(" expires=")
                $0.put(expires.milliseconds)
                $0.replay(replay)
            }
        case .cancelled(let id, let sequence, let empty, let replay):
            line(room: id.count) {
                $0.put("+CANCELLED ")
                $0.put(id)
                $0.sequence(sequence)
                if empty { $0.put(" empty=1") }
                $0.replay(replay)
            }
        case .expired(let id, let sequence):
            line(room: id.count) { $0.put("+EXPIRED "); $0.put(id); $0.sequence(sequence); $0.replay(true) }
        case .returned(let id, let sequence, let replay):
            line(room: id.count) { $0.put("+RETURNED "); $0.put(id); $0.sequence(sequence); $0.replay(replay) }
        case .order(let view): write(view)
        case .refused(let refusal): write(refusal, readOnlyReason: readOnlyReason)
        }
    }

    /// `+SOLD …`
    public mutating func writeSold(_ id: Token, _ sequence: UInt64, available: Int64?, replay: Bool) {
        line(room: id.count) {
            $0.put("+SOLD ")
            $0.put(id)
            $0.sequence(sequence)
            $0.available(available)
            $0.replay(replay)
        }
    }

    /// `+STOCK …`, as an entry of `MGET` and `SKUS`.
    public mutating func write(_ view: StockView) {
        line(room: view.sku.count) { $0.stock(view) }
    }

    /// `+ORDER …`, as an entry of `HOLDS`.
    public mutating func write(_ view: OrderView) {
        // A pair is a blank, a token, a blank and a number.
        let pairRoom = Limits.tokenLength + 22
        line(room: view.id.count + (view.buyer?.count ?? 0) + view.lines.count * pairRoom) {
            $0.put("+ORDER ")
            $0.put(view.id)
            $0.put(" state=")
            $0.put(view.state.word)
            $0.sequence(view.sequence)
            $0.put(" at=")
            $0.put(view.at.milliseconds)
            if let expires = view.expires {
                $0.put(" expires=")
                $0.put(expires.milliseconds)
            }
            if let buyer = view.buyer {
                $0.put(" buyer=")
                $0.put(buyer)
            }
            $0.put(" lines=")
            $0.put(Int64(view.lines.count))
            for pair in view.lines {
                $0.put(" ")
                $0.put(pair.sku)
                $0.put(" ")
                $0.put(pair.quantity)
            }
        }
    }

    /// Why nothing changed.
    public mutating func write(_ refusal: Refusal, readOnlyReason: String = "the log cannot be written") {
        switch refusal {
        case .exists(let sku, let onhand):
            line(room: sku.count) { $0.put("-EXISTS "); $0.put(sku); $0.put(" onhand="); $0.put(onhand) }
        case .noSKU(let sku):
            line(room: sku.count) { $0.put("-NOSKU "); $0.put(sku) }
        case .mismatch(let sku, let onhand):
            line(room: sku.count) { $0.put("-MISMATCH "); $0.put(sku); $0.put(" onhand="); $0.put(onhand) }
        case .inUse(let sku, let held):
            line(room: sku.count) { $0.put("-INUSE "); $0.put(sku); $0.put(" held="); $0.put(held) }
        case .insufficient(let sku, let want, let available, let held):
            line(room: sku.count) {
                $0.put("-INSUFFICIENT ")
                $0.shortage(sku, want: want, available: available, held: held)
            }
        case .floorBroken(let sku, let floor, let onhand, let held):
            line(room: sku.count) {
                $0.put("-INSUFFICIENT ")
                $0.put(sku)
                $0.put(" floor=")
                $0.put(floor)
                $0.put(" onhand=")
                $0.put(onhand)
                $0.put(" held=")
                $0.put(held)
            }
        case .soldOut(let sku, let want):
            line(room: sku.count) { $0.put("-SOLDOUT "); $0.shortage(sku, want: want, available: 0, held: 0) }
        case .upcoming(let sku, let opens):
            line(room: sku.count) { $0.put("-UPCOMING "); $0.put(sku); $0.put(" opens="); $0.put(opens) }
        case .ended(let sku):
            line(room: sku.count) { $0.put("-ENDED "); $0.put(sku) }
        case .paused(let sku):
            line(room: sku.count) { $0.put("-PAUSED "); $0.put(sku) }
        case .quota(let sku, let limit, let used):
            line(room: sku.count) {
                $0.put("-QUOTA ")
                $0.put(sku)
                $0.put(" limit=")
                $0.put(limit)
                $0.put(" used=")
                $0.put(used)
            }
        case .buyerNeeded(let sku):
            line(room: sku.count) { $0.put("-BUYER "); $0.put(sku) }
        case .noOrder(let id):
            line(room: id.count) { $0.put("-NOORDER "); $0.put(id) }
        case .inState(_, let id):
            line(room: id.count) { $0.put("-"); $0.put(refusal.code.word); $0.put(" "); $0.put(id) }
        case .conflict(let id, let state, let sequence):
            line(room: id.count) {
                $0.put("-CONFLICT ")
                $0.put(id)
                $0.put(" state=")
                $0.put(state.word)
                $0.sequence(sequence)
            }
        case .stale(let id):
            line(room: id.count) { $0.put("-STALE "); $0.put(id) }
        case .lineOutOfRange(let sku, let have):
            line(room: sku.count) { $0.put("-RANGE "); $0.put(sku); $0.put(" have="); $0.put(have) }
        case .counterOutOfRange(let sku):
            line(room: sku.count) { $0.put("-RANGE "); $0.put(sku); $0.put(" a counter would leave its range") }
        case .full(let what):
            line(room: 0) { $0.put("-FULL "); $0.put(what.word) }
        case .busy:
            line(room: 0) { $0.put("-BUSY") }
        case .readOnly:
            writeRefusal(.readOnly, text: readOnlyReason)
        }
    }
}

extension LineWriter {
    @inline(__always)
    fileprivate mutating func sequence(_ value: UInt64) {
        put(" seq=")
        put(value)
    }

    @inline(__always)
    fileprivate mutating func available(_ value: Int64?) {
        guard let value else { return }
        put(" available=")
        put(value)
    }

    @inline(__always)
    fileprivate mutating func replay(_ isReplay: Bool) {
        if isReplay { put(" replay=1") }
    }

    fileprivate mutating func shortage(_ sku: Token, want: Int64, available: Int64, held: Int64) {
        put(sku)
        put(" want=")
        put(want)
        put(" available=")
        put(available)
        put(" held=")
        put(held)
    }

    fileprivate mutating func stock(_ view: StockView) {
        put("+STOCK ")
        put(view.sku)
        put(" available=")
        put(view.available)
        put(" held=")
        put(view.held)
        put(" sold=")
        put(view.sold)
        put(" onhand=")
        put(view.onhand)
        put(" floor=")
        put(view.floor)
        put(" limit=")
        put(view.limit)
        if view.opens != 0 {
            put(" opens=")
            put(view.opens)
        }
        if view.closes != 0 {
            put(" closes=")
            put(view.closes)
        }
        if view.paused { put(" paused=1") }
        put(" status=")
        put(view.status.word)
        sequence(view.sequence)
    }
}

// MARK: The words of states

extension StockStatus {
    var word: StaticString {
        switch self {
        case .upcoming: "upcoming"
        case .ended: "ended"
        case .paused: "paused"
        case .selling: "selling"
        case .heldOut: "held-out"
        case .soldOut: "sold-out"
        }
    }
}

extension OrderState {
    var word: StaticString {
        switch self {
        case .held: "held"
        case .sold: "sold"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .returned: "returned"
        }
    }
}

extension IDState {
    var word: StaticString {
        switch self {
        case .held: "held"
        case .sold: "sold"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .returned: "returned"
        // A count is an adjustment with another way to say how much.
        case .adjusted, .counted: "adjusted"
        case .transferred: "transferred"
        case .return: "return"
        }
    }
}

extension Fullness {
    var word: StaticString {
        switch self {
        case .memory: "memory"
        case .orders: "orders"
        case .skus: "skus"
        }
    }
}
