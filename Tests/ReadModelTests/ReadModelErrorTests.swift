import Testing

@testable import ReadModel

@Suite struct ReadModelErrorTests {
    private struct Cause: Error, CustomStringConvertible {
        let description = "the disk is full"
    }

    @Test(
        arguments: [
            (.notFound, "it failed"), (.invalidArgument, "it failed"), (.notInstalled, "it failed"),
            (.unavailable, "it failed: the disk is full"), (.failed, "it failed: the disk is full"),
        ] as [(ReadModelError.Code, String)]
    )
    func `the cause is told where the message does not say what it was`(code: ReadModelError.Code, told: String) {
        #expect(ReadModelError(code, "it failed", cause: Cause()).description == told)
        #expect(ReadModelError(code, "it failed").description == "it failed")
    }
}
