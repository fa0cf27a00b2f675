import Cache
import Directory
import EventStore
import Operations
import Postgres
import Privacy
import Projector
import ReadModel
import Schema

/// What led to an error, through all layers that reported it.
enum ErrorCauses {
    /// The error, its cause, the cause's cause, and so on.
    static func chain(of error: any Error) -> [any Error] {
        var chain = [error]
        while let last = chain.last, let cause = cause(of: last) { chain.append(cause) }
        return chain
    }

    /// The database's error that led to this one, if there is one.
    static func database(of error: any Error) -> PostgresError? {
        chain(of: error).lazy.compactMap { $0 as? PostgresError }.first
    }

    private static func cause(of error: any Error) -> (any Error)? {
        switch error {
        case let error as EventStoreError: error.cause
        case let error as ReadModelError: error.cause
        case let error as CommandError: error.cause
        case let error as PrivacyError: error.cause
        case let error as CacheError: error.cause
        case let error as ProjectorError: error.cause
        case let error as SchemaError: error.cause
        case let error as OperationsError: error.cause
        case let error as DirectoryError: error.cause
        default: nil
        }
    }
}
