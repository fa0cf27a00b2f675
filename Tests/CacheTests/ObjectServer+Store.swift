import RecorderTesting
import Testing

@testable import Cache

extension ObjectServer {
    /// A store on the server; each call has names of its own.
    ///
    /// - Throws: Cancels the test if PyPI cannot be reached.
    func store(_ way: Way, bucket: String = "recordings") async throws -> S3ObjectStore {
        guard let address = try await address(way) else {
            try Test.cancel("moto cannot be installed: PyPI is not reached from here")
        }
        var configuration = S3Configuration(
            endpoint: address,
            bucket: bucket,
            region: "eu-central-1",
            accessKeyID: "test",
            secretAccessKey: "test"
        )
        configuration.partSize = 5 << 20
        return try S3ObjectStore(configuration)
    }
}
