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
            var last: UInt64 = 0
            let select = try database.prepare("SELECT place, time, number, id FROM entry ORDER BY place LIMIT ?")
            select.bind(Int64(limit), at: 1)
            while try select.step(), select.integer(1) < time.milliseconds {
                last = UInt64(bitPattern: select.integer(0))
                pruned += 1
                // A return stands under the number of its order; its own is that of the event.
                guard last % Schema.placesPerEvent == 0, let id = try select.token(3) else { continue }
                brought.append((names.copy(id), last / Schema.placesPerEvent))
            }
            select.reset()
            guard pruned > 0 else { return }
            let delete = try database.prepare("DELETE FROM entry WHERE place <= ?")
            delete.bind(last, at: 1)
            try delete.run()
            // Of an id, only the event that brought it has its number; a record that is remembered keeps its name.
            let forget = try database.prepare(
                """
                DELETE FROM known_id WHERE id = ?1 AND number = ?2
                    AND NOT EXISTS (SELECT 1 FROM record WHERE record.number = ?2)
                """)
            brought.sort { $0.id.prefix < $1.id.prefix }
            for (id, number) in brought {
                forget.bind(id, at: 1)
                forget.bind(number, at: 2)
                try forget.run()
            }
            position.historyFrom = last / Schema.placesPerEvent + 1
        }
        return pruned
    }
}
