import ArgumentParser
import EventStore
import Glibc
import Postgres
import ReadModel

/// How a command that did not simply return ends the process.
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
            let advice = Self.advice(on: error).map { ". \($0)" } ?? ""
            self.init(status: 1, text: "recorder: \(error)\(advice)")
        }
    }

    private init(status: Int32, text: String, isAnswer: Bool = false) {
        self.status = status
        self.text = text
        self.isAnswer = isAnswer
    }

    /// Prints the text and ends the process; what was printed before comes first.
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

    /// What to do about an error that the database led to, where the error itself does not say.
    ///
    /// Source of the codes: PostgreSQL manual, appendix A, "Error Codes".
    private static func advice(on error: any Error) -> String? {
        switch error {
        case let error as PostgresError where error.code == .connectionFailed:
            "Check --database-url or DATABASE_URL, or start a server with `recorder dev`"
        case let error as PostgresError:
            switch error.sqlState {
            case "42P01", "3F000", "42883":
                "Run `recorder migrate up`, and `recorder project --until-caught-up` for the read models; --schema "
                    + "says in which schema to look"
            case "42501": "Connect as a role that may do this; see migrations/0001_roles.up.sql"
            default: nil
            }
        case let error as EventStoreError: error.cause.flatMap { advice(on: $0) }
        case let error as ReadModelError where error.code != .notInstalled: error.cause.flatMap { advice(on: $0) }
        case let error as CommandError: error.cause.flatMap { advice(on: $0) }
        default: nil
        }
    }
}
