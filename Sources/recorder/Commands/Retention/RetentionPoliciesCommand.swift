import ArgumentParser
import Privacy

/// `recorder retention policies`: how long data is kept.
struct RetentionPoliciesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "Lists the policies.",
        discussion: """
            EXAMPLES
              recorder retention policies
              recorder retention policies --json
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let policies = try await options.settings().withPool { try await RetentionPolicies($0).all() }
        TextTable<RetentionPolicies.Policy>([
            .init("policy") { $0.subject.rawValue },
            .init("kept for") { $0.keepFor },
            .init("enabled") { $0.isEnabled ? "yes" : "no" },
        ]).print(policies, json: options.json) { line, policy in
            line.field("policy", policy.subject.rawValue)
            line.field("keepFor", policy.keepFor)
            line.field("enabled", policy.isEnabled)
        }
    }
}
