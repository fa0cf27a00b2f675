import Foundation
import RecorderTesting
import Testing

@testable import Cache

@Suite struct S3SignatureTests {
    private static let empty = ObjectChecksum.of([])

    /// The examples of Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
    @Test func `the examples of Amazon's reference are signed as it says`() {
        let signature = S3Signature(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            moment: "20130524T000000Z"
        )
        func sign(
            _ method: String,
            _ path: String,
            query: [(name: String, value: String)] = [],
            headers: [(name: String, value: String)] = [],
            body: String = ""
        ) -> String {
            let hash = ObjectChecksum.of(Array(body.utf8))
            let all =
                headers + [
                    ("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", hash),
                    ("x-amz-date", "20130524T000000Z"),
                ]
            let text = signature.authorization(method: method, path: path, query: query, headers: all, bodyHash: hash)
            return String(text.suffix(64))
        }
        #expect(
            sign("GET", "/test.txt", headers: [("Range", "bytes=0-9")])
                == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
        #expect(
            sign(
                "PUT",
                "/test$file.text",
                headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                body: "Welcome to Amazon S3."
            ) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        )
        #expect(
            sign("GET", "/", query: [("lifecycle", "")])
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        )
        #expect(
            sign("GET", "/", query: [("prefix", "J"), ("max-keys", "2")])
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        )
    }

    /// A request as botocore gets it.
    private struct Wanted: Encodable {
        let method: String
        let path: String
        let query: [String: String]
        let headers: [String: String]
        let body: String
        let moment: String
        var target: String {
            let items = S3Signature.query(query.map { ($0.key, $0.value) })
            return S3Signature.encoded(path, keepsSlashes: true) + (items.isEmpty ? "" : "?\(items)")
        }

        enum CodingKeys: CodingKey { case method, target, headers, body, moment }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(method, forKey: .method)
            try values.encode(target, forKey: .target)
            try values.encode(headers, forKey: .headers)
            try values.encode(body, forKey: .body)
            try values.encode(moment, forKey: .moment)
        }
    }

    @Test(.timeLimit(.minutes(10))) func `botocore signs the same`() async throws {
        guard let python = try await PythonEnvironment.moto.python() else {
            try Test.cancel("moto cannot be installed: PyPI is not reached from here")
        }
        let words = ["a", "Z-9._~", "with space", "a+b&c=d", "ü/日本", "%41", "*!'()", ""]
        var wanted: [Wanted] = []
        for (number, word) in words.enumerated() {
            wanted.append(
                Wanted(
                    method: ["GET", "PUT", "POST", "DELETE"][number % 4],
                    path: "/recordings/\(word)x",
                    query: ["prefix": word, "list-type": "2", word + "k": "v"],
                    headers: ["x-amz-meta-note": "  two   spaces \(number) ", "range": "bytes=\(number)-"],
                    body: number % 4 == 1 ? "body of \(word)" : "",
                    moment: "2026\(number + 1 < 10 ? "0" : "")\(number + 1)28T235959Z"
                )
            )
        }
        let input = String(decoding: try JSONEncoder().encode(wanted), as: UTF8.self)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "sign_with_botocore.py")
        let said = try await ChildProgram.run(python, [script.path(percentEncoded: false)], input: input)
        try #require(said.lines.count == wanted.count)
        for (request, expected) in zip(wanted, said.lines) {
            let hash = ObjectChecksum.of(Array(request.body.utf8))
            let signature = S3Signature(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: "secret/key+1",
                region: "eu-central-1",
                moment: request.moment
            )
            let headers: [(name: String, value: String)] =
                request.headers.map { ($0.key, $0.value) } + [
                    ("host", "store.example:9000"), ("x-amz-content-sha256", hash), ("x-amz-date", request.moment),
                ]
            let authorization = signature.authorization(
                method: request.method,
                path: request.path,
                query: request.query.map { ($0.key, $0.value) },
                headers: headers,
                bodyHash: hash
            )
            #expect(authorization.hasSuffix("Signature=\(expected)"), "\(request.method) \(request.target)")
        }
    }

    @Test(arguments: [
        (0.0, "19700101T000000Z"), (951_827_696.9, "20000229T123456Z"), (4_102_444_799, "20991231T235959Z"),
    ])
    func `moments are in UTC`(seconds: Double, text: String) {
        #expect(S3Signature.moment(of: Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `answers are read`() {
        let xml = "<R><Key>a&amp;b</Key><Other>x</Other><Key>&lt;&quot;&gt;</Key><Key>unfinished"
        #expect(S3Answer.texts(of: "Key", in: xml) == ["a&b", "<\">"])
        #expect(S3Answer.text(of: "Missing", in: xml) == nil)
        #expect(S3Answer.texts(of: "K", in: "<K>&amp;lt;</K>") == ["&lt;"])
    }
}
