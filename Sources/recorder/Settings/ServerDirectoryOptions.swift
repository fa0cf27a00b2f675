import ArgumentParser

/// The flag that names the folder of an embedded server.
struct ServerDirectoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where the server lives; else RECORDER_DIRECTORY, else .recorder.", valueName: "folder"),
        completion: .directory
    )
    var directory: String?

    func validate() throws {
        if let directory { try ValidationError.checking { _ = try Settings.checked(directory: directory) } }
    }
}
