import EventModel
import Foundation

/// A `recorder` that was run to its end, with what it took.
struct MeasuredCommand {
    /// Negative: the signal that ended it.
    let status: Int32
    let lines: [String]
    let time: Duration
    /// The most memory it had at any time, in MB (`VmHWM` of `proc(5)`).
    let peak: Int

    /// Runs the program.
    ///
    /// - Parameters:
    ///   - arguments: What stands behind `recorder`.
    ///   - log: The file that gets standard error.
    ///   - started: Gets the process as soon as it runs.
    static func run(
        _ arguments: [String],
        databaseURL: String,
        log: URL,
        _ started: (RecorderProcess) async throws -> Void = { _ in }
    ) async throws -> MeasuredCommand {
        let start = ContinuousClock.now
        let process = try await RecorderProcess.start(arguments, databaseURL: databaseURL, log: log)
        process.closeInput()
        async let peak = peak(of: process)
        do {
            try await started(process)
        } catch {
            // Whoever measures it waits for its end.
            process.send(SIGKILL)
            throw error
        }
        let status = await process.ended()
        let time = start.duration(to: .now)
        var lines: [String] = []
        for await line in process.lines { lines.append(line) }
        return MeasuredCommand(status: status, lines: lines, time: time, peak: await peak)
    }

    /// A member of the last line, which is JSON.
    func number(_ name: String) -> Int? {
        guard let line = lines.last, let answer = try? JSONValue(json: Array(line.utf8)) else { return nil }
        return answer[name]?.integer
    }

    /// What it did a second.
    func rate(_ count: Int) -> String { "\(Int(Double(count) / (time / .seconds(1)))) events/s" }

    private static func peak(of process: RecorderProcess) async -> Int {
        var peak = 0
        while process.isRunning {
            let status = (try? String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let pages = line?.split(separator: " ").dropFirst().first.flatMap {
                Int($0.trimmingCharacters(in: .whitespaces))
            }
            peak = max(peak, (pages ?? 0) / 1_024)
            try? await Task.sleep(for: .milliseconds(20))
        }
        return peak
    }
}
