extension Scenario {
    /// What is said in calls of any kind.
    static let anywhere = Scenario(
        name: "anywhere",
        script: """
            open
            user: Hello, is anybody there?
            user: Hi there.
            agent: Hello, you have reached the voice assistant. How can I help you today?
            agent: Good day! I am an automated assistant, and I am listening. What is it about?

            step
            user: Sorry, could you say that again?
            user: I did not catch the last part, it is loud in here.
            user: Pardon?
            agent: Of course. I said that everything is noted under {ref}, and that nothing more is needed from you for now.
            agent: Gladly, and a little slower. The number is {ref}, and the day is {day}.

            step
            user: Hold on a second, somebody is at the door.
            user: Wait, let me get a pen.
            agent: Take your time, I will stay on the line.
            agent: No hurry at all.

            step
            user: Am I talking to a machine?
            user: Are you a real person?
            agent: You are talking to an automated assistant. If you prefer, I can put you through to a colleague.
            agent: I am a computer, but I do my best. A person can take over at any time.

            step
            user: Yes.
            user: Right.
            user: Mhm, okay.
            user: That is correct.
            agent: Thank you. Let me continue with that.
            agent: Very well.

            step
            user: No, that is not what I meant. I said {day}, not tomorrow.
            user: You got that wrong, it is {number}, not seven.
            agent: My apologies, I have corrected it: {day}.
            agent: Thank you for correcting me. I have it as {number} now.

            step
            user: Um, I am not sure, what would you do?
            user: What do you recommend?
            agent: Most people take the first option, as it can still be changed later.
            agent: If you are not in a hurry, I would wait until {day}, it is cheaper then.

            step
            user: Could you also send me that in writing?
            user: Please send me a summary.
            agent: Certainly, {name}. You will have it in your mailbox in a few minutes.
            agent: I am sending it now, to the address we have on file.
            tool: send_summary
            found: summary {ref} sent

            close
            user: Thank you. Goodbye.
            agent: Goodbye.
            """
    )
}
