import Testing

@testable import Postgres

@Suite struct ConnectRefusalTests {
    private static let place = #"connection to server on socket "/run/.s.PGSQL.5432" failed: "#

    @Test(arguments: ["28000", "28P01", "3D000", "42501"])
    func `a role or a database that is refused stays refused`(sqlState: String) {
        let refusal = ConnectRefusal(
            """
            \(Self.place)FATAL:  \(sqlState): no
            DETAIL:  Never.
            LOCATION:  InitPostgres, postinit.c:1000

            """
        )
        #expect(refusal.isLasting)
        #expect(refusal.sqlStates == [sqlState])
        #expect(refusal.message == "\(Self.place)FATAL:  no; DETAIL:  Never.")
    }

    @Test(arguments: ["53300", "57P03", "55000", "08P01"])
    func `a server that is full, starts or cannot tell may take it later`(sqlState: String) {
        #expect(!ConnectRefusal("\(Self.place)FATAL:  \(sqlState): not now\nLOCATION:  f, a.c:1").isLasting)
    }

    @Test func `where nobody answered there is nothing that stays`() {
        let refusal = ConnectRefusal("\(Self.place)Connection refused\n\tIs the server running?\n")
        #expect(!refusal.isLasting)
        #expect(refusal.message == "\(Self.place)Connection refused; \tIs the server running?")
    }

    /// libpq tries with TLS and without.
    @Test func `each of several attempts counts, in the words of any language`() {
        let refusal = ConnectRefusal(
            """
            \(Self.place)FATAL:  28000: nein, TLS
            ORT:  ClientAuthentication, auth.c:543
            \(Self.place)FATAL:  53300: zu viele
            ORT:  InitProcess, proc.c:355
            """
        )
        #expect(refusal.sqlStates == ["28000", "53300"])
        #expect(!refusal.isLasting)
        #expect(refusal.message == "\(Self.place)FATAL:  nein, TLS; \(Self.place)FATAL:  zu viele")
    }
}
