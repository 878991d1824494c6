// What the modules below throw, sorted by what a person or a script would do about it.

import StockArchive
import StockConnection
import StockInput
import StockJournal

extension ToolError {
    /// Any error of the modules below, sorted into these kinds.
    public init(_ error: any Error) {
        switch error {
        case let error as ToolError: self = error
        case let error as ConnectionError: self.init(.unreachable, error.description)
        case let error as JournalError: self.init(Kind(error), error.description)
        case let error as ArchiveError: self.init(Kind(error), error.description)
        default: self.init(.failed, "\(error)")
        }
    }
}

extension ToolError.Kind {
    fileprivate init(_ error: JournalError) {
        self =
            switch error {
            case .locked: .tryLater
            case .damaged: .damaged
            case .unsuitable, .system: .noInput
            }
    }

    fileprivate init(_ error: ArchiveError) {
        self =
            switch error {
            case .busy: .tryLater
            case .missing: .noInput
            case .damaged, .foreign, .newerFormat, .gap, .misfit: .damaged
            case .full, .system, .sqlite: .failed
            }
    }
}
