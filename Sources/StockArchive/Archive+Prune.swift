// The history kept short: entries older than `--history` go, in slices, between folds.

import StockModel

extension Archive {
    /// Deletes up to `limit` entries of the history, and the ids that nothing knows any more, from the oldest on; those
    /// of events at `time` and after stay. A transaction of its own, not while a fold is open.
    ///
    /// - Returns: how many went; less than `limit` means that nothing is left to do.
    public mutating func prune(olderThan time: Timestamp, limit: Int) throws(ArchiveError) -> Int {
        var pruned = 0
        let database = self.database
        // Looked at before the lock is asked for: most of the time there is nothing to do.
        let oldest = try database.integer("SELECT time FROM entry ORDER BY place LIMIT 1")
        guard oldest != 0, oldest < time.milliseconds, limit > 0 else { return 0 }
        try change { position throws(ArchiveError) in
            var names = ByteArena()
            var brought: [(id: Token, number: UInt64)] = []
            var ofSKU: [(ordinal: Int64, time: Int64, place: UInt64)] = []
            var ofID: [(number: UInt64, place: UInt64)] = []
            var ofBuyer: [(buyer: Token, place: UInt64)] = []
            var last: UInt64 = 0
            let select = try database.prepare(
                "SELECT place, time, number, id, sku, buyer FROM entry ORDER BY place LIMIT ?")
            select.bind(Int64(limit), at: 1)
            while try select.step(), select.integer(1) < time.milliseconds {
                last = UInt64(bitPattern: select.integer(0))
                let event = last / Schema.placesPerEvent
                pruned += 1
                if !select.isNull(4) { ofSKU.append((select.integer(4), select.integer(1), last)) }
                let number = UInt64(bitPattern: select.integer(2))
                if !select.isNull(2) && number != event { ofID.append((number, last)) }
                if let buyer = try select.token(5) { ofBuyer.append((names.copy(buyer), last)) }
                // A return stands under the number of its order; its own is that of the event.
                if last % Schema.placesPerEvent == 0, let id = try select.token(3) {
                    brought.append((names.copy(id), event))
                }
            }
            select.reset()
            guard pruned > 0 else { return }
            let delete = try database.prepare("DELETE FROM entry WHERE place <= ?")
            delete.bind(last, at: 1)
            try delete.run()

            let deleteOfSKU = try database.prepare(
                "DELETE FROM entry_of_sku WHERE sku = ? AND time = ? AND place = ?")
            ofSKU.sort { $0.ordinal != $1.ordinal ? $0.ordinal < $1.ordinal : $0.place < $1.place }
            for (ordinal, time, place) in ofSKU {
                deleteOfSKU.bind(ordinal, at: 1)
                deleteOfSKU.bind(time, at: 2)
                deleteOfSKU.bind(place, at: 3)
                try deleteOfSKU.run()
            }
            let deleteOfID = try database.prepare("DELETE FROM entry_of_id WHERE number = ? AND place = ?")
            for (number, place) in ofID {
                deleteOfID.bind(number, at: 1)
                deleteOfID.bind(place, at: 2)
                try deleteOfID.run()
            }
            let deleteOfBuyer = try database.prepare("DELETE FROM entry_of_buyer WHERE buyer = ? AND place = ?")
            ofBuyer.sort { $0.buyer.prefix < $1.buyer.prefix }
            for (buyer, place) in ofBuyer {
                deleteOfBuyer.bind(buyer, at: 1)
                deleteOfBuyer.bind(place, at: 2)
                try deleteOfBuyer.run()
            }
            // Of an id, only the event that brought it has its number; a record that is remembered keeps its name.
            let deleteName = try database.prepare(
                """
                DELETE FROM known_id WHERE id = ?1 AND number = ?2
                    AND NOT EXISTS (SELECT 1 FROM record WHERE record.number = ?2)
                """)
            brought.sort { $0.id.prefix < $1.id.prefix }
            for (id, number) in brought {
                deleteName.bind(id, at: 1)
                deleteName.bind(number, at: 2)
                try deleteName.run()
            }
            position.historyFrom = last / Schema.placesPerEvent + 1
        }
        return pruned
    }
}
