import Foundation
import PackagePlugin

/// Has `embed-sql` write the package's SQL folders into a Swift file of the target that uses this plugin, so that the
/// built program carries them and runs from anywhere.
@main
struct EmbedSQLPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folders = ["migrations", "projections"].map { context.package.directoryURL.appending(path: $0) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSQL.swift")
        return [
            .buildCommand(
                displayName: "Embedding migrations and projections",
                executable: try context.tool(named: "embed-sql").url,
                arguments: [output.path(percentEncoded: false)] + folders.map { $0.path(percentEncoded: false) },
                inputFiles: folders.flatMap(contents(of:)),
                outputFiles: [output]
            )
        ]
    }

    /// The folder, the folders in it and their files, so that the tool runs again when a file is edited.
    ///
    /// The build asks only when it plans anew. It does so when a file comes or goes, because `Sources/Schema/SQL`
    /// links to the folders and SwiftPM watches what stands below a target's folder.
    private func contents(of folder: URL) -> [URL] {
        guard FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)) else { return [] }
        let entries = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?
            .compactMap { $0 as? URL }
        return [folder] + (entries ?? []).sorted { $0.path(percentEncoded: false) < $1.path(percentEncoded: false) }
    }
}
