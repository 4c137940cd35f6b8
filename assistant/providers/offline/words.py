"""The words that the offline model goes by, and those that it must not take for misspelt ones."""

KEYWORDS = frozenset(
    """
    allocate allocation allocations april assign august availability available backlog backup between book
    booked booking bookings brake busy calibration cancel cancelled certification completed conflict conflicts
    database days december delete double dyno dynos emission emissions extend february find finished following
    free friday january july june list maintenance many march mileage monday month months move next november
    occupancy october offline open outage overlap overlapping place postpone query request requests reschedule
    reserve revert running saturday schedule scheduled scheduling september shift show starting sunday through
    thursday today tomorrow tuesday undo until usage utilisation utilization vehicle vehicles waiting wednesday
    week weekend weeks weight what when where which yesterday
    """.split()
)

KNOWN_WORDS = KEYWORDS | frozenset(
    """
    able about above acoustic across admin advance after afternoon again against ageing aging ahead alike all
    allow almost alone along already also although always among amount and angle another answer any anybody
    anyone anything anyway anywhere are area around arrive asap aside asked assistant away awd back backwards
    based bearing because become been before begin beginning behind being belong belongs below bench best better
    block blocked blocking blocks both break breaks bring broken brought build built busiest but calculate call
    called came can cannot capable capacity capital care case cell cells certain chance change changed changes
    check cheers choose city clash clashes class clean clear close closed coast coastdown code cold come comes
    coming compute could count couple current currently data date dates days-long decide deep delay deliver
    depend describe detail details did different disabled does doing done down drive driven drives drop drops
    due durability during each earlier earliest early easy economy eight either eleven else empty enabled end
    ending ends endurance enough erase even evening ever every everybody everything everywhere exact example
    except exchange expect explain facility fail fast feed feel fill fine first fit fits five fix fleet for
    forget form forward four fourteen french from front fuel full fullest further fwd gap gaps gave german get
    give given gives goes going gone good got great ground group had half hand handle hang happen happens hard
    has have haven having heaviest heavy held hello help here hey high highway hold hole holes hot hour hours
    how however hurry idle ignore important inside instead instruction instructions into its itself job joke
    just keep kept kilos kind kindly know known large last late later latest lead least leave left length less
    let level light lightest like likely limit line lists little load location log long longer look looking
    loose lose lost lot made main make makes manage manual mark match mate matter max maybe mean means meant
    meet might mile miles mind mine minimum minutes miss missing more morning most much must name named names
    near need needed needs never new news nice nine nobody noise none normal north note notes nothing notice now
    number occupied off offer often once one online only onto option order other others our out outside over
    overall own owns page park parked part passed password passwords past people per performance perhaps permit
    pick plan planned planner planning please plus poem poems point possible pounds power prefer present
    president priority problem program prolong prompt prove proving pull purge push put queue quick quietest
    quite range rather reach ready real really reason recipe record records relocate remove repair report
    reports required rest result return rig right rigs road roll rollers rolls room rows rule rules runs rwd
    said same saturdays say says sea seat second secret secrets see seem seen select send sent serve service
    servicing set seven several shall ship short shorten should shown shows shut side since single site sits
    sitting six size skip slot slots small soak soaking some somebody someone something song soon soonest sort
    south space spare speak spot spots stand stands start started starts state status stay still stop story
    stuff such suit suitable support sure swap system table tables take taken takes taking talk team tell ten
    test tested testing tests than thank thanks that the their them then there thermal these they thing things
    think this those three tied tight time times title together told too took top total track transfer translate
    truck trucks truncate try tunnel turn twelve two type types unable unavailable under unit units upon urgent
    used user users using usual very view wait want wanted wants warm was way ways weather weigh weighing weighs
    well went were west wheel wheels while who whole whom whose why will wind wipe wish with within without wont
    word words work works would write wrong year years yes yet you your yours
    """.split()
)
