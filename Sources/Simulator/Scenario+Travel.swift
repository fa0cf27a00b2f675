extension Scenario {
    /// Calls to a railway and coach line.
    static let travel = Scenario(
        name: "travel",
        script: """
            open
            user: Hi, I would like to book a train from {city} to {town} for {day}.
            user: Hello, can you find me a seat to {town} on {day}? I am starting in {city}.
            user: I need to travel to {town} {day}, ideally leaving {city} around {time}.
            agent: Happy to help. I see several departures from {city} to {town} on {day}. Do you prefer the morning or the afternoon?
            agent: Of course. Shall I look at direct connections only, or is one change fine?
            look: departures {city} {town} {day}
            found: {city} to {town}: direct service at {time}, two hours and ten minutes, from {amount} euros
            found: {city} to {town}: one change, three hours, from {amount} euros, seats available

            step
            user: The one at {time} sounds right.
            user: Around {time} would be best, if there is anything.
            user: Let us take the earlier one, please.
            agent: The departure at {time} arrives in {town} a little over two hours later. A standard seat costs {amount} euros.
            agent: Good choice. There are still window seats on the {time} departure, at {amount} euros each.
            tool: hold_seat
            found: seat held on the {time} departure to {town}, booking {ref}, expires in fifteen minutes

            step
            user: Is there a quiet coach on that train?
            user: Can I get a table seat, I have to work on the way.
            agent: Yes, coach four is the quiet one, and I can put you at a table there without an extra charge.
            agent: There is one table seat left in coach six. Would you like me to reserve it for you?

            step
            user: I am bringing a bicycle. Does that cost extra?
            user: What about my bike, do I need a ticket for it?
            agent: A bicycle needs a reservation of six euros on this route. I can add it to booking {ref} right now.
            agent: Folding bicycles are free of charge, all others pay six euros. Which one do you have?
            look: bicycle carriage rules {city} {town}
            found: Bicycles travel for six euros with a reservation; folding bicycles are luggage and free of charge

            step
            user: What happens if I miss the train?
            user: And if my meeting runs late, can I change the ticket?
            agent: With the flexible fare you may take any later train on {day}. With the saver fare the ticket is lost after departure.
            agent: You can change it until five minutes before departure in the app, and the difference in price is paid back to your card.
            look: rebooking conditions flexible saver fare
            found: Flexible fare: any train on the day of travel. Saver fare: valid on the booked train only, changes until departure for a fee

            step
            user: Could my daughter travel on the same ticket? She is nine.
            user: I am with two kids, six and eleven years old.
            agent: Children under fifteen travel free with you, I only need to write their number on the booking.
            agent: No problem, I have added the children to booking {ref}. Your own fare stays at {amount} euros.

            step
            user: Do I have to print the ticket?
            user: How do I get the ticket?
            agent: No need to print anything. I am sending a link to your phone, and the conductor scans the code from the screen.
            agent: It comes by e-mail in a minute. The booking number is {ref}, in case you want to note it down.
            tool: send_ticket
            found: ticket {ref} sent by e-mail and text message

            step
            user: I will pay with the card you have on file.
            user: Put it on my usual card please.
            agent: I see a card ending in {digits}. Shall I charge {amount} euros to it?
            agent: All right, {amount} euros on the card ending in {digits}. One moment, please.
            tool: charge_card
            found: charge of {amount} euros accepted, card ending in {digits}

            close
            user: Perfect, that is all I needed. Thank you, {name} here.
            user: Great, thanks a lot. Bye.
            agent: You are welcome, {name}. Have a pleasant journey to {town}.
            agent: Thank you for travelling with us. Goodbye!
            """
    )
}
