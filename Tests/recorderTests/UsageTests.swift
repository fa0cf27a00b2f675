import RecorderTesting
import Testing

/// What the program does before it meets a database.
@Suite struct UsageTests {
    @Test(arguments: [
        ["--nonsense"], ["append", "--nonsense"], ["import"], ["events", "no-uuid"], ["replay"], ["nonsense"],
        ["tail", "--from-beginning", "--cursor", "1:1:"], ["migrate", "down", "--steps", "0"],
    ])
    func `wrong usage ends with status 2 and says how to use it`(_ arguments: [String]) async throws {
        let result = try await RecorderCommand(arguments).result()
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("Usage: recorder"))
    }
}
