import ArgumentParser
import EventModel
import ReadModel

/// `recorder audit verify`: whether the chains of hashes hold.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Computes each user's chain of hashes again. Status 1 if a row was changed or is missing.",
        discussion: """
            EXAMPLES
              recorder audit verify
              recorder audit verify --user 019cad8f-ac00-7d67-b00a-4911e12a826e
            """
    )

    @Option(help: ArgumentHelp("Only this user's chain.", valueName: "id"))
    var user: StreamID?

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let faults = try await settings.withReadModels { try await $0.verifyAudit(of: user) }
        Self.show(faults, json: options.json)
        guard faults.isEmpty else {
            throw CommandError(
                .refused,
                "\(Counted.text(faults.count, "chain")) of audited events broken: the read model was changed by hand, or "
                    + "the log was; compare with `recorder events`"
            )
        }
    }

    /// Prints the faults; for a person also that there are none.
    static func show(_ faults: [AuditFault], json: Bool) {
        guard json || !faults.isEmpty else { return StandardOutput.shared.line("all chains of audited events hold") }
        TextTable<AuditFault>([
            .init("user") { $0.userID?.description ?? "nobody" },
            .init("position", .right) { $0.position.map { String($0) } },
            .init("event") { $0.id?.description },
            .init("problem") { $0.problem },
        ]).print(faults, json: json) { line, fault in
            line.field("userId", fault.userID?.description)
            line.field("position", fault.position.map { Int($0) })
            line.field("id", fault.id?.description)
            line.field("problem", fault.problem)
        }
    }
}
