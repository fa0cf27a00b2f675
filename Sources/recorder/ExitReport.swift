import ArgumentParser
import Foundation
import Glibc
import Postgres
import Projector
import Schema

/// How the process ends when its command throws.
struct ExitReport {
    /// The exit status.
    let status: Int32
    /// What to print.
    let text: String
    /// Whether the text is what was asked for, such as help, and not a failure.
    let isAnswer: Bool

    /// Finds out what an error means.
    init(_ error: any Error) {
        let parserStatus = Recorder.exitCode(for: error)
        switch error {
        case let error as ExitCode:
            self.init(status: error.rawValue, text: "")
        case is CancellationError:
            self.init(status: 1, text: "recorder: stopped before it was done")
        case _ where parserStatus == .success:
            self.init(status: 0, text: Recorder.fullMessage(for: error), isAnswer: true)
        case _ where parserStatus == .validationFailure:
            self.init(status: 2, text: Recorder.fullMessage(for: error))
        default:
            self.init(status: 1, text: "recorder: \(Self.text(of: error))")
        }
    }

    private init(status: Int32, text: String, isAnswer: Bool = false) {
        self.status = status
        self.text = text
        self.isAnswer = isAnswer
    }

    /// Flushes what was printed before, prints the text, and ends the process.
    func exit() -> Never {
        try? StandardOutput.shared.flush()
        if isAnswer {
            StandardOutput.shared.write(text)
            StandardOutput.shared.endLine()
            try? StandardOutput.shared.flush()
        } else if !text.isEmpty {
            StandardError.line(text)
        }
        Glibc.exit(status)
    }

    /// What failed and what to do, as sentences.
    private static func text(of error: any Error) -> String {
        let isForeign =
            (error as NSError).domain == NSCocoaErrorDomain || (error as NSError).domain == NSPOSIXErrorDomain
        // A sentence of the server may end inside one of ours.
        var text = (isForeign ? error.fileReason : "\(error)").replacing("\t", with: "")
            .replacing(".; ", with: "; ").replacing("?; ", with: "? ")
        guard let advice = advice(on: error) else { return text }
        while text.hasSuffix(".") || text.hasSuffix("\n") { text.removeLast() }
        return text + (text.hasSuffix("?") ? " " : ". ") + advice
    }

    /// What to do about an error that the database caused, where the error itself does not say.
    private static func advice(on error: any Error) -> String? {
        guard let database = ErrorCauses.database(of: error) else { return nil }
        if error is SchemaError, database.isPermissionDenied {
            return """
                Migrate with the login that ran the first migration, or as a superuser; `migrate verify` builds the schema \
                a second time, for which the login needs a grant of CREATE on the database
                """
        }
        // Migrating again does not help a migration that failed, and some errors give this advice themselves.
        guard !"\(error)".contains("migrate up"), !(error is SchemaError) else { return nil }
        switch database.sqlState {
        case _ where database.isMissingObject:
            // A projection's own SQL names what is not there.
            guard (error as? ProjectorError)?.code != .projectionFailed else { return nil }
            return "Run `recorder migrate up`, and `recorder project --until-caught-up` for the read models; --schema "
                + "says in which schema to look"
        case _ where database.isPermissionDenied:
            return """
                Connect with a login in the role that may: recorder_appender appends and reads the log, recorder_projector \
                projects, shows how projections stand and reads the log, recorder_analyst reads the read models, \
                recorder_owner does the rest; what builds beside the live tables, `projections rebuild` and `verify`, \
                `migrate verify` and `subject erase --scrub`, also needs a grant of CREATE on the database
                """
        case _ where database.isUnanswered:
            return "Check --database-url or DATABASE_URL, or start a server with `recorder dev`"
        default: return nil
        }
    }
}
