import Benchmarks
import Foundation

/// Measurements as they are made: lines of a table for a person, or lines of JSON.
struct BenchmarkTable {
    let server: BenchmarkServer
    let json: Bool

    private static let widths = (name: 24, figure: 30, ratio: 7)

    /// Prints the machine and the server that are measured, and the table's head.
    func begin() {
        guard !json else { return }
        let machine = "\(ProcessInfo.processInfo.activeProcessorCount) cores, \(Self.processor)"
        let settings = server.settings.filter { $0.key != "server_version" }.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        line("\(machine); PostgreSQL \(server.settings["server_version"] ?? "?"): \(settings)")
        line(
            server.isDurable
                ? "durable: what is acknowledged is on disk" : "NOT durable: a crash may lose what is acknowledged"
        )
        line(row("measurement", "recorder (least–most)", "limit (least–most)", "ratio"))
    }

    /// Shows one measurement.
    func show(_ measurement: Benchmarks.Measurement) {
        guard json else {
            line(
                row(
                    measurement.name,
                    "\(text(measurement.value)) \(measurement.unit)",
                    measurement.limit.map(text) ?? "-",
                    Figures.decimal(measurement.ratio, digits: 2) ?? "-"
                )
            )
            return
        }
        JSONLine.print { line in
            line.field("name", measurement.name)
            line.field("unit", measurement.unit)
            line.field("value", measurement.value.median)
            line.field("least", measurement.value.least)
            line.field("most", measurement.value.most)
            line.field("limit", measurement.limit?.median)
            line.field("ratio", measurement.ratio)
            line.field("higherIsBetter", measurement.higherIsBetter)
            line.field("rounds", measurement.rounds)
            line.object("settings") { line in
                let durable = ["durable": server.isDurable ? "yes" : "no"]
                let all = server.settings.merging(measurement.settings) { $1 }.merging(durable) { $1 }
                for (name, value) in all.sorted(by: { $0.key < $1.key }) { line.field(name, value) }
            }
        }
    }

    private func line(_ text: String) { StandardOutput.shared.line(text) }

    private func row(_ name: String, _ value: String, _ limit: String, _ ratio: String) -> String {
        name.padded(to: Self.widths.name) + value.padded(to: Self.widths.figure + 9)
            + limit.padded(to: Self.widths.figure) + ratio.padded(fromLeftTo: Self.widths.ratio)
    }

    private func text(_ figure: Benchmarks.Measurement.Figure) -> String {
        guard figure.least != figure.most else { return number(figure.median) }
        return "\(number(figure.median)) (\(number(figure.least))–\(number(figure.most)))"
    }

    private func number(_ value: Double) -> String {
        if value >= 1_000 { return Counted.grouped(Int(value.rounded())) }
        return Figures.decimal(value, digits: value < 10 ? 3 : 1) ?? "-"
    }

    /// The processor's name, as Linux knows it.
    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.drop { $0 == " " } }.map(String.init) ?? "unknown processor"
    }
}
