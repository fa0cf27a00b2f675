import ArgumentParser
import Privacy

/// `recorder retention set POLICY`: changes a policy.
struct RetentionSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Changes a policy.",
        discussion: """
            EXAMPLES
              recorder retention set audit_logs --keep-for "7 years" --enable
              recorder retention set deleted_users --disable
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Which: \(RetentionPolicies.Subject.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "policy"
        )
    )
    var policy: RetentionPolicies.Subject

    @Option(help: ArgumentHelp("For how long, such as \"30 days\".", valueName: "interval"))
    var keepFor: String?

    @Flag(help: "Have `retention run` go by it.")
    var enable = false

    @Flag(help: "Have `retention run` pass it by.")
    var disable = false

    @Option(help: ArgumentHelp("Who does it; stands in the event.", valueName: "name"))
    var actor = "recorder retention"

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        try ActorName.check(actor)
        guard keepFor != nil || enable || disable else {
            throw ValidationError("Nothing to change: give --keep-for, --enable or --disable.")
        }
        guard !(enable && disable) else { throw ValidationError("--enable and --disable exclude each other.") }
    }

    func run() async throws {
        let isEnabled = enable || disable ? enable : nil
        let kept = try await options.settings().withPool { pool in
            do {
                return try await RetentionPolicies(pool)
                    .set(policy, keepFor: keepFor, isEnabled: isEnabled, by: actor)
            } catch let error as PrivacyError where error.code == .invalid {
                // Only PostgreSQL knows what an interval is.
                StandardError.line("recorder: --keep-for: \(error.message)")
                throw ExitCode(2)
            }
        }
        if options.json {
            JSONLine.print { line in
                line.field("changed", policy.rawValue)
                line.field("keepFor", kept)
            }
        } else {
            StandardOutput.shared.line("\(policy.rawValue) is changed: kept for \(kept)")
        }
    }
}

extension RetentionPolicies.Subject: ExpressibleByArgument {}
