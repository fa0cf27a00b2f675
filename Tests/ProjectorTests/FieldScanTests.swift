import EventModel
import Postgres
import Schema
import Testing

@testable import Projector

@Suite struct FieldScanTests {
    private let json = Array(
        #"{"turnId":"019cad8f-ac00-7e4e-a7b6-815d4e98868f","n":1,"cost":"0.10","config":{"model":{"name":"a\n\u00e9"}},"n":2,"none":null}"#
            .utf8
    )

    /// Scans with one field and returns its binary form without the length; nil for NULL.
    private func scan(_ path: String, _ type: FieldType, metadata: String = "{}") throws -> (
        bytes: [UInt8]?, fits: Bool
    ) {
        let scan = FieldScan([.init(path: try #require(FieldPath(path)), type: type)])
        var values = FieldScan.Values(count: 1)
        let bytes = json + Array(metadata.utf8)
        let metadata = json.count..<bytes.count
        try scan.scan(bytes.span, data: 0..<json.count, metadata: metadata, for: scan.wanted([0]), into: &values)
        guard let range = values.range(of: 0), values.misfits.isEmpty else { return (nil, values.misfits.isEmpty) }
        let field = Array(values.bytes.bytes[range])
        let length = field.prefix(4).reduce(Int32(0)) { $0 << 8 | Int32($1) }
        return (length < 0 ? nil : Array(field.dropFirst(4)), true)
    }

    @Test func `a nested value is found and its escapes are decoded`() throws {
        #expect(try scan("data.config.model.name", .text).bytes == Array("a\né".utf8))
    }

    @Test func `what is not wanted of an event is NULL, and the next event has it`() throws {
        let fields = ["data.n", "metadata", "metadata.actor"].compactMap(FieldPath.init)
        let scan = FieldScan(zip(fields, [.integer, .jsonb, .text]).map { .init(path: $0, type: $1) })
        let bytes = json + Array(#"{"actor":"she"}"#.utf8)
        let (data, metadata) = (0..<json.count, json.count..<bytes.count)
        var values = FieldScan.Values(count: fields.count)
        for wanted in [[0], [1], [0, 2], [], [0, 1, 2]] {
            try scan.scan(bytes.span, data: data, metadata: metadata, for: scan.wanted(wanted), into: &values)
            #expect(fields.indices.filter { values.range(of: $0) != nil } == wanted)
        }
    }

    @Test func `of two members with one name the last counts`() throws {
        #expect(try scan("data.n", .integer).bytes == [0, 0, 0, 2])
    }

    @Test func `what is absent or null is NULL`() throws {
        for path in ["data.nothing", "data.none", "data.config.nothing", "data.n.deeper", "metadata.actor"] {
            let found = try scan(path, .text)
            #expect(found.bytes == nil && found.fits, "\(path)")
        }
    }

    @Test func `money may be a string or a number and keeps its digits`() throws {
        var expected = PostgresBuffer()
        _ = try #require(PostgresDecimal("0.10")).encode(into: &expected)
        #expect(try scan("data.cost", .numeric).bytes == expected.bytes)
    }

    @Test(arguments: [
        ("data.n", FieldType.text), ("data.turnId", .bigint), ("data.cost", .doublePrecision), ("data.config", .text),
        ("data.turnId", .timestamptz), ("data.n", .boolean), ("data.cost", .uuid), ("data.turnId", .numeric),
    ])
    func `a value that does not fit its declared type is a misfit, not NULL`(path: String, type: FieldType) throws {
        #expect(try scan(path, type).fits == false)
    }

    @Test func `metadata as a whole is jsonb`() throws {
        let found = try scan("metadata", .jsonb, metadata: #"{"actor":"asr"}"#)
        #expect(found.bytes == [1] + Array(#"{"actor":"asr"}"#.utf8))
    }

    @Test(arguments: ["", "data.", "other.x", "data..x", ".data"])
    func `a path that lies nowhere is refused`(path: String) {
        #expect(FieldPath(path) == nil)
    }
}
