import ArgumentParser
import Projector
import Schema

extension ValidationError {
    /// Runs a check of an argument's value: what it refuses counts as wrong usage, not as a failure.
    ///
    /// - Throws: `ValidationError` with the check's message.
    static func checking(_ check: () throws -> Void) throws {
        do {
            try check()
        } catch let error as CommandError {
            throw ValidationError("\(error.message).")
        } catch let error as ProjectorError {
            throw ValidationError("\(error.message).")
        } catch let error as SchemaError {
            throw ValidationError("\(error.message).")
        }
    }
}
