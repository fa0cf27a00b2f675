import Metrics
import Testing

@testable import Operations

@Suite struct MetricsRegistryTests {
    @Test func `what was counted is written by name, each with its kind once`() {
        let registry = MetricsRegistry(labels: [("source", "test")])
        let timer = Metrics.Timer(label: "rounds_seconds", factory: registry)
        for milliseconds in [250, 500] { timer.recordMilliseconds(milliseconds) }
        for shard in ["1", "0"] {
            Gauge(label: "behind", dimensions: [("shard", shard)], factory: registry).record(shard == "0" ? 0.5 : 7)
        }
        // Those with one name are one.
        for count in [2, 3] { Counter(label: "events_total", factory: registry).increment(by: count) }
        Recorder(label: "group_events", factory: registry).record(40)
        #expect(
            registry.text == """
                # TYPE behind gauge
                behind{source="test",shard="0"} 0.5
                behind{source="test",shard="1"} 7
                # TYPE events_total counter
                events_total{source="test"} 5
                # TYPE group_events summary
                group_events_sum{source="test"} 40
                group_events_count{source="test"} 1
                # TYPE rounds_seconds summary
                rounds_seconds_sum{source="test"} 0.75
                rounds_seconds_count{source="test"} 2

                """
        )
    }

    @Test func `a gauge that is destroyed is not written any more`() {
        let registry = MetricsRegistry()
        let gauges = ["a", "b"].map { Gauge(label: $0, factory: registry) }
        for gauge in gauges { gauge.record(1) }
        Gauge(label: "a", factory: registry).destroy()
        #expect(registry.text == "# TYPE b gauge\nb 1\n")
    }

    @Test func `nothing makes a line that cannot be read`() {
        let registry = MetricsRegistry()
        Gauge(label: "1st-pool.size", dimensions: [("a b", "say \"\\\n\"")], factory: registry).record(Double.infinity)
        #expect(registry.text == "# TYPE _1st_pool_size gauge\n_1st_pool_size{a_b=\"say \\\"\\\\\\n\\\"\"} +Inf\n")
    }
}
