import EventModel
import RecorderTesting
import Testing

@testable import Directory

/// Search over the texts of documents.
@Suite struct DocumentSearchTests {
    private func document(_ name: String, _ text: String) -> KnowledgeDocument.Draft {
        KnowledgeDocument.Draft(filename: name, textContent: text)
    }

    @Test func `words are found in all their forms, ranked, with snippets`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let filler = String(repeating: "Nothing of interest stands in this sentence at all. ", count: 20)
            try await user.documents.createMany([
                document("travel insurance.pdf", "What is insured on a journey."),
                document(
                    "terms.txt",
                    "\(filler)Insurance covers lost luggage. \(filler)Insured are travellers and their luggage. \(filler)"
                ),
                document("menu.txt", "Soup, fish, cake."),
            ])
            let hits = try await user.searchDocuments("insuring")
            // A hit in the name weighs more.
            #expect(hits.items.map(\.filename) == ["travel insurance.pdf", "terms.txt"])
            #expect(hits.items[0].rank > hits.items[1].rank && hits.next == nil)
            let marked = hits.items[1].snippet.parts.filter(\.isMatch).map(\.text)
            #expect(marked == ["Insurance", "Insured"])
            #expect(hits.items[1].snippet.text.contains("covers lost luggage"))
            #expect(hits.items[1].snippet.text.count < 600)
            #expect(try await user.searchDocuments("\"lost luggage\"").items.map(\.filename) == ["terms.txt"])
            #expect(
                try await user.searchDocuments("insurance -luggage").items.map(\.filename) == ["travel insurance.pdf"]
            )
            #expect(try await user.searchDocuments("fish or journey").items.count == 2)
            for words in ["", "the", "!!! ((", "' or 1=1 --", "\u{E000}"] {
                #expect(try await user.searchDocuments(words).items.isEmpty)
            }
        }
    }

    @Test func `deleted documents are not found, and changed ones by what they say now`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let document = try await user.documents.create(document("a", "an apple"))
            #expect(try await user.searchDocuments("apples").items.map(\.id) == [document.id])
            try await user.documents.update(document.id, version: 1) { [$0.textContent.set("a pear")] }
            #expect(try await user.searchDocuments("apples").items.isEmpty)
            #expect(try await user.searchDocuments("pears").items.count == 1)
            try await user.documents.delete(document.id)
            #expect(try await user.searchDocuments("pears").items.isEmpty)
            try await user.documents.restore(document.id)
            #expect(try await user.searchDocuments("pears").items.count == 1)
        }
    }

    @Test func `pages of hits join, also where many have one rank`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            try await user.documents.createMany(
                (0..<25).map { document("n", String(repeating: "pear ", count: 1 + $0 % 3)) }
            )
            var found: [DocumentHit] = []
            var after: PageCursor?
            repeat {
                let page = try await user.searchDocuments("pear", limit: 4, after: after)
                found += page.items
                try #require(found.count <= 25, "a page came again")
                after = page.next
            } while after != nil
            #expect(found == (try await user.searchDocuments("pear", limit: 100).items))
            #expect(Set(found.map(\.id)).count == 25)
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.rank >= $1.rank })
        }
    }

    @Test func `a document of more words than the index holds is found by those at its beginning`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            let numbers = (100_000..<300_000).map(String.init).joined(separator: ",")
            let text = "pear,\(numbers),plum"
            let made = try await user.documents.create(document("table.csv", text))
            #expect(try await user.documents.find(made.id)?.textContent == text)
            for (words, isFound) in [("pear", true), ("table csv", true), ("100007", true), ("plum", false)] {
                #expect(try await user.searchDocuments(words).items.map(\.id) == (isFound ? [made.id] : []), "\(words)")
            }
            try await user.documents.update(made.id, version: 1) { [$0.textContent.set("only a plum")] }
            #expect(try await user.searchDocuments("plum").items.count == 1)
            #expect(try await user.searchDocuments("pear").items.isEmpty)
        }
    }

    @Test func `whatever is looked for, the search ends well or says what is wrong`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            try await user.documents.create(document("a", "an apple"))
            let signs = ["-", "- ", "-(", "-)!", "- &|", "-\t", "--\n"]
            for sign in signs {
                #expect(try await user.searchDocuments(String(repeating: sign, count: 500)).items.isEmpty)
                #expect(
                    try await user.searchDocuments("apple " + String(repeating: sign, count: 500) + "pear").items.count
                        == 1
                )
            }
            let words = Array(repeating: "apples", count: 5_000).joined(separator: " or ")
            #expect(try await user.searchDocuments(String(words.prefix(4_096))).items.count == 1)
            let error = await expect(.invalid) { try await user.searchDocuments(String(words.prefix(4_097))) }
            #expect(error?.message == "a search has 4097 characters, and at most 4,096")
        }
    }

    @Test func `a page begins behind a rank that a driver sends as double precision`() async throws {
        try await withDirectory { fixture in
            let user = try await fixture.register()
            try await user.documents.createMany(
                (0..<3).map { document("n", String(repeating: "pear ", count: 1 + $0)) }
            )
            let acting = "set recorder.user_id = '\(user.user)'"
            let first = try await fixture.text("\(acting); select rank, id from search_documents('pear', 1)")
            let (rank, id) = (first[0][0] ?? "", first[0][1] ?? "")
            let rest = try await fixture.text(
                "\(acting); select id from search_documents('pear', 9, \(rank)::double precision, '\(id)'::uuid)"
            )
            #expect(rest.count == 2 && !rest.contains([id]))
        }
    }

    @Test func `a snippet is cut where its marks stand`() {
        let snippet = DocumentHit.Snippet(marked: "a \u{E000}b\u{E001} c \u{E000}d\u{E001}")
        #expect(snippet.parts.map(\.text) == ["a ", "b", " c ", "d"])
        #expect(snippet.parts.map(\.isMatch) == [false, true, false, true])
        #expect(DocumentHit.Snippet(marked: "").parts.isEmpty)
        #expect(DocumentHit.Snippet(marked: "none").text == "none")
    }
}
