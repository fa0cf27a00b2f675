extension Scenario {
    /// Calls to a doctor's practice.
    static let clinic = Scenario(
        name: "clinic",
        script: """
            open
            user: Good morning, I would like to make an appointment with {doctor}.
            user: Hello, this is {name}. I have had a sore throat for a week and want to see somebody.
            user: Hi, I need to move my appointment on {day}.
            agent: Good morning, this is the practice of {doctor}. May I have your date of birth, please?
            agent: Certainly. Have you been with us before, or would this be your first visit?

            step
            user: I was with you last year, about my knee.
            user: Yes, I have been a patient of {doctor} for years.
            agent: Thank you, {name}, I have found your file. The next free time is {day} at {time}. Would that suit you?
            agent: I see you in our records. There is an opening on {day}, at {time}, and another one the week after.
            tool: find_slots
            found: {doctor}: {day} {time}, twenty minutes, room two
            found: {doctor}: the week after, same weekday, {time}

            step
            user: {day} does not work for me, I am at work until five.
            user: Do you have anything later in the day?
            agent: We are open until seven on Thursdays. I could offer you a quarter past six.
            agent: There is one late appointment left, at half past five on {day}. Shall I take it for you?

            step
            user: Yes, please put me down for that.
            user: {time} is fine, I will be there.
            agent: Done. You are booked with {doctor} on {day} at {time}. Please bring your insurance card.
            agent: I have written it down, {day}, {time}. You will get a reminder by text message the day before.
            tool: book_slot
            found: appointment {ref} with {doctor} on {day} at {time} confirmed

            step
            user: Do I need to come on an empty stomach?
            user: Is there anything I should do before the blood test?
            agent: For the blood test please do not eat for eight hours before. Water is fine, coffee is not.
            agent: Only if cholesterol is measured. In your case a light breakfast is no problem at all.
            look: preparation for blood test fasting
            found: Fasting for eight hours is needed for glucose and lipids; water may be drunk at any time
            found: Medicines are taken as usual unless the doctor said otherwise

            step
            user: I also need a new prescription for my tablets.
            user: Could you renew my prescription at the same time?
            agent: Of course. {doctor} has to sign it, so it will be ready at the pharmacy on {street} tomorrow after four.
            agent: I have passed the request on. You get a message once it was sent to your pharmacy.
            tool: request_prescription
            found: repeat prescription requested, number {ref}, waiting for signature

            step
            user: How long do I usually have to wait?
            user: Should I come a bit early?
            agent: Ten minutes before is enough. On most days the wait is under a quarter of an hour.
            agent: Please come five minutes early, there is a short form to fill in.

            step
            user: Where exactly are you, is there parking?
            user: Which way do I come in, I use a wheelchair.
            agent: We are at {street}, on the second floor, and there is a lift. You may park in the yard behind the house.
            agent: The entrance without steps is around the corner from {street}. Just ring, and someone opens for you.
            look: practice address access parking lift
            found: {street}, second floor, lift from the courtyard, four parking places for patients

            close
            user: Wonderful, thank you very much.
            user: That was all. See you on {day} then.
            agent: See you on {day}, {name}. Get well soon!
            agent: Thank you for calling. Should anything change, please let us know a day before.
            """
    )
}
