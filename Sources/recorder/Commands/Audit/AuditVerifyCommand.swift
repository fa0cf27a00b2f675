import ArgumentParser
import EventModel
import ReadModel

/// `recorder audit verify`: whether the chains of hashes hold.
struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Computes each user's chain of hashes again. Status 1 if a row was changed or is missing.",
        discussion: """
            Says how many chains and rows there are. A role that row security shows one user's rows, and that acts for none, \
            is refused.

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
        let (faults, extent) = try await settings.withReadModels { models in
            if let role = try await models.roleWithoutRows(of: "audit_logs") {
                throw CommandError(.refused, "nothing can be verified: " + HiddenRows.reason(of: role))
            }
            return (try await models.verifyAudit(of: user), try await models.auditExtent(of: user))
        }
        Self.show(faults, of: extent, json: options.json)
        guard faults.isEmpty else {
            throw CommandError(
                .refused,
                "\(Counted.text(faults.count, "chain")) of audited events broken: the read model was changed by hand, or "
                    + "the log was; compare with `recorder events`"
            )
        }
    }

    /// Prints the faults, or that there are none and among how many rows.
    static func show(_ faults: [AuditFault], of extent: AuditExtent, json: Bool) {
        guard !faults.isEmpty else { return showSuccess(extent, json: json) }
        TextTable<AuditFault>([
            .init("user") { $0.userID?.description ?? "nobody" },
            .init("position", .right) { $0.position.map { String($0) } },
            .init("event") { $0.eventID?.description },
            .init("problem") { $0.problem },
        ]).print(faults, json: json) { line, fault in
            line.field("userId", fault.userID?.description)
            line.field("position", fault.position.map { Int($0) })
            line.field("id", fault.eventID?.description)
            line.field("problem", fault.problem)
        }
    }
    private static func showSuccess(_ extent: AuditExtent, json: Bool) {
        guard !json else {
            return JSONLine.print { line in
                line.field("chains", extent.chains)
                line.field("rows", extent.rows)
                line.field("faults", 0)
            }
        }
        StandardOutput.shared.line(
            extent.chains == 0 && extent.rows == 0
                ? "there are no audited events to verify"
                : "all chains of audited events hold: \(Counted.text(extent.chains, "chain")), "
                    + Counted.text(extent.rows, "row")
        )
    }
}
