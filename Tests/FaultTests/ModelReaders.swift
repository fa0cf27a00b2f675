import Foundation
import Postgres
import RecorderTesting
import Synchronization

/// People who look at read models all the time, and know what they must see.
final class ModelReaders: Sendable {
    /// What the answers took.
    struct Figures: CustomStringConvertible {
        /// Ascending.
        let times: [Duration]

        var description: String {
            guard let longest = times.last else { return "nothing was read" }
            return "\(times.count) reads, p50 \(milliseconds(0.5)), p99 \(milliseconds(0.99)), longest "
                + String(format: "%.1f ms", longest / .milliseconds(1))
        }

        private func milliseconds(_ share: Double) -> String {
            String(format: "%.2f ms", times[min(times.count - 1, Int(Double(times.count) * share))] / .milliseconds(1))
        }
    }

    private struct State {
        var times: [Duration] = []
        var wrong: [String] = []
    }

    /// How many connections read, and how often each of them.
    private static let readers = 4
    private static let pause = Duration.milliseconds(40)

    private let configuration: PostgresConfiguration
    /// Each question's one answer.
    private let answers: [(question: String, answer: String?)]
    private let state = Mutex(State())

    /// Answers that were wrong.
    var wrong: [String] { state.withLock { $0.wrong } }

    /// Asks every question once, while nothing changes.
    ///
    /// - Parameter sessions: How many sessions to ask about; besides, the models that span sessions are asked.
    init(_ url: String, sessions: Int) async throws {
        configuration = PostgresConfiguration(url: url, schema: "recorder", applicationName: "reader")
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        let sample = try await connection.text(
            unsafeSQL: """
                select id, user_id, date_trunc('minute', started_at) from conversation_sessions
                where user_id is not null order by md5(id::text) limit \(sessions)
                """
        )
        var questions: [String] = []
        for row in sample {
            let (session, user, minute) = (row[0] ?? "", row[1] ?? "", row[2] ?? "")
            let rows = "select jsonb_agg(to_jsonb(v) order by to_jsonb(v)::text) from"
            questions += [
                "\(rows) conversation_sessions v where id = '\(session)'",
                "\(rows) conversation_turns v where session_id = '\(session)'",
                "\(rows) conversation_costs v where session_id = '\(session)'",
                """
                \(rows) (select action, hash from audit_logs where user_id = '\(user)' and timestamp >= '\(minute)'
                    order by position limit 20) v
                """,
                """
                select latency_percentile('llm', 0.95, '\(minute)', '\(minute)'::timestamptz + interval '1 hour')::text
                """,
                "\(rows) interruptions v where bucket_start = date_trunc('hour', '\(minute)'::timestamptz)",
            ]
        }
        var answers: [(String, String?)] = []
        for question in questions {
            answers.append((question, try await connection.text(unsafeSQL: question).first?.first ?? nil))
        }
        self.answers = answers
        await connection.close()
    }

    /// Reads at random while `body` runs.
    ///
    /// - Returns: What the body returns, and how long the answers took.
    func read<R: Sendable>(while body: () async throws -> R) async throws -> (R, Figures) {
        state.withLock { $0.times = [] }
        let readers = (0..<Self.readers).map { _ in Task { try await self.run() } }
        let result: R
        do {
            result = try await body()
        } catch {
            for reader in readers { reader.cancel() }
            throw error
        }
        for reader in readers { reader.cancel() }
        for reader in readers { try await reader.value }
        return (result, Figures(times: state.withLock { $0.times.sorted() }))
    }

    private func run() async throws {
        let connection = try await PostgresConnection.connect(configuration, logger: TestServer.logger)
        while !Task.isCancelled {
            guard let (question, right) = answers.randomElement() else { break }
            let start = ContinuousClock.now
            let answer: String?
            do {
                answer = try await connection.text(unsafeSQL: question).first?.first ?? nil
            } catch is CancellationError {
                break
            }
            let time = start.duration(to: .now)
            state.withLock { state in
                state.times.append(time)
                if answer != right {
                    state.wrong.append("\(question): \(answer ?? "NULL"), expected \(right ?? "NULL")")
                }
            }
            try? await Task.sleep(for: Self.pause)
        }
        await connection.close()
    }
}
