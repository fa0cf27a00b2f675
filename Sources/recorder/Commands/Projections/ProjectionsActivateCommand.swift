import ArgumentParser

/// `recorder projections activate`: which version the views read.
struct ProjectionsActivateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate",
        abstract: "Has a projection's views read one of its versions.",
        discussion: """
            In one transaction; the other versions stay as they are and can be switched back to.

            EXAMPLES
              recorder projections activate conversation_turns --version 1
            """
    )

    @OptionGroup var target: ProjectionVersionOptions

    func run() async throws {
        let (name, version) = (target.name, target.version)
        try await target.withVersions { try await $0.activate(name, version: version) }
        if target.options.json {
            JSONLine.print { line in
                line.field("projection", name)
                line.field("active", version)
            }
        } else {
            StandardOutput.shared.line("the views of \(name) read version \(version)")
        }
    }
}
