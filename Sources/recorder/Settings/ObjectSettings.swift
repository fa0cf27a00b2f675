import ArgumentParser
import Cache
import Configuration

/// Where people's objects are kept, according to the flags.
struct ObjectStoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The object store: a folder, or s3://BUCKET; else RECORDER_OBJECTS.",
            discussion:
                "The credentials of a bucket are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
            valueName: "place"
        ),
        completion: .directory
    )
    var objects: String?

    @Option(
        name: .customLong("s3-endpoint"),
        help: ArgumentHelp("Where the bucket's service is; else RECORDER_S3_ENDPOINT.", valueName: "url")
    )
    var endpoint: String?

    @Option(
        name: .customLong("s3-region"),
        help: ArgumentHelp("The bucket's region; else RECORDER_S3_REGION, else 'auto'.", valueName: "name")
    )
    var region: String?
}

/// Where people's objects are kept, according to the environment and the settings file.
struct ObjectSettings: Sendable {
    private static let scheme = "s3://"

    private let place: String?
    private let endpoint: String?
    private let region: String?
    private let accessKeyID: String?
    private let secretAccessKey: String?
    private let sessionToken: String?

    init(_ reader: ConfigReader) {
        place = reader.string(forKey: "recorder.objects")
        endpoint = reader.string(forKey: "recorder.s3.endpoint")
        region = reader.string(forKey: "recorder.s3.region")
        accessKeyID = reader.string(forKey: "aws.accessKeyId")
        secretAccessKey = reader.string(forKey: "aws.secretAccessKey", isSecret: true)
        sessionToken = reader.string(forKey: "aws.sessionToken", isSecret: true)
    }

    /// The object store; `nil` if there is none.
    ///
    /// - Parameter options: The flags, which come first.
    /// - Throws: ``CommandError`` with code `.setting` that names what a bucket lacks.
    func store(_ options: ObjectStoreOptions) throws(CommandError) -> (any ObjectStore)? {
        guard let place = options.objects ?? place else { return nil }
        guard place.hasPrefix(Self.scheme) else { return DirectoryObjectStore(directory: place) }
        guard let endpoint = options.endpoint ?? endpoint else {
            throw CommandError(.setting, "\(place): say where the service is, by --s3-endpoint or RECORDER_S3_ENDPOINT")
        }
        guard let accessKeyID, let secretAccessKey else {
            throw CommandError(.setting, "\(place): credentials are missing: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY")
        }
        do {
            return try S3ObjectStore(
                S3Configuration(
                    endpoint: endpoint,
                    bucket: String(place.dropFirst(Self.scheme.count)),
                    region: options.region ?? region ?? "auto",
                    accessKeyID: accessKeyID,
                    secretAccessKey: secretAccessKey,
                    sessionToken: sessionToken
                )
            )
        } catch {
            throw CommandError(.setting, "\(place): \(error)")
        }
    }
}
