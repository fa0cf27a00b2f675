extension Scenario {
    /// Calls to a telephone and internet company.
    static let telephone = Scenario(
        name: "telephone",
        script: """
            open
            user: My internet has been down since this morning.
            user: Hello, the connection at {street} keeps dropping every few minutes.
            user: Hi, I am calling about my bill, {amount} euros cannot be right.
            agent: Let us have a look. Am I speaking with the contract holder, {name}?
            agent: I will check your line right away. Is the lamp on the router green or red?
            look: known outages {street} {town}
            found: {town}: maintenance on {day} from {time}, interruptions of up to two hours
            found: {town}: no known outage

            step
            user: It is red, and the second one is off.
            user: Red. I have already pulled the plug twice.
            agent: Thank you. I am measuring your line now, this takes about half a minute. Please do not switch anything off.
            agent: Then the router has no signal. I will restart the port on our side and we try again.
            tool: measure_line
            found: line of {street}: signal lost at {time}, noise margin low, port can be restarted

            step
            user: Now it is green again!
            user: It blinks now, is that good?
            agent: Very good. The line is back with the full speed of your {plan} plan.
            agent: Give it a minute, it is loading its settings. After that all lamps should be steady.

            step
            user: Why does this happen every month?
            user: Could it be the cable in the house?
            agent: There were three short interruptions since {day}. I would like to send a technician to check the socket in your flat.
            agent: That is possible. An old socket is a frequent reason, and a technician can change it in twenty minutes.
            look: repeated interruptions socket technician
            found: Three interruptions within thirty days entitle to a technician's visit free of charge

            step
            user: When could somebody come by?
            user: I am only home on {day}.
            agent: The technician could come on {day} between eight and twelve, or in the afternoon after {time}.
            agent: I can offer {day} at {time}. You will be called half an hour before.
            tool: book_technician
            found: visit {ref} on {day}, arrival from {time}

            step
            user: And what is this item of {amount} euros on my bill?
            user: I see two charges on the bill that I do not know.
            agent: That is the one-off fee for the faster plan. Since it was promised to you without a fee, I will credit it.
            agent: One of them is the roaming package from your stay in {city}. It ended by itself on {day}.
            tool: list_charges
            found: plan {plan} 39.90 euros; roaming {city} {amount} euros

            step
            user: What would a faster plan cost me?
            user: Is there a cheaper plan, I do not use that much.
            agent: The {plan} plan would be {amount} euros a month, with a notice period of four weeks.
            agent: Looking at your use, the {plan} plan fits better and saves you seven euros a month.
            look: plans and prices {plan}
            found: {plan}: {amount} euros a month, upload half the download speed, cancel with four weeks' notice

            step
            user: Can I keep my number if I change?
            user: Would the router stay the same?
            agent: Yes, nothing changes but the price, number and router stay the same.
            agent: It does. The new speed is switched on over night.

            close
            user: All right, it works. Thank you so much.
            user: Good, then I will wait for the technician. Bye bye.
            agent: Thank you for calling, {name}. The reference is {ref}.
            agent: With pleasure. Enjoy the rest of the day!
            """
    )
}
