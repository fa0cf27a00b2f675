import ArgumentParser
import Glibc
import Postgres

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
        case let error as PostgresError:
            self.init(status: 1, text: "recorder: \(Self.advised(error))")
        case _ where parserStatus == .success:
            self.init(status: 0, text: Recorder.fullMessage(for: error), isAnswer: true)
        case _ where parserStatus == .validationFailure:
            self.init(status: 2, text: Recorder.fullMessage(for: error))
        default:
            let cause = Self.cause(of: error).map { "recorder: \(error): \(Self.advised($0))" }
            self.init(status: 1, text: cause ?? "recorder: \(error)")
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

    /// The error of the database below errors whose own text leaves it out.
    private static func cause(of error: any Error) -> PostgresError? {
        (error as? CommandError)?.cause as? PostgresError
    }

    /// A server's message with what to do about it.
    private static func advised(_ error: PostgresError) -> String {
        switch error.sqlState {
        case "42P01", "3F000", "42883":
            "\(error). Run `recorder migrate up`, and `recorder project --until-caught-up` for the read models; "
                + "--schema says in which schema to look"
        case "42501": "\(error). Connect as a role that may do this; see the roles in migrations/0001_roles.up.sql"
        default:
            error.code == .connectionFailed
                ? "\(error). Check --database-url or DATABASE_URL, or start a server with `recorder dev`" : "\(error)"
        }
    }
}
