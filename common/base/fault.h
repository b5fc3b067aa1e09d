#ifndef R1_BASE_FAULT_H
#define R1_BASE_FAULT_H
/* Faults on demand, only in builds with -Dfault_injection=true:
 *     R1_FAULT=rank:phase:step:action      rank and step may be *
 * The rank acts once, when its card (card.h) first shows that phase in that step:
 *     kill  abort  exit=CODE  stop     end or stop the process
 *     hang  spin                       sleep, or burn a core, for ever, somewhere else
 *     delay=SECONDS                    sleep, then go on
 *     starve                           hardly any time to work in the rest of the step
 *     garble                           the next trajectory that this rank sends is damaged */

#ifdef R1_FAULT_INJECTION
void r1_fault_point(void);  /* the card has changed */
void r1_fault_tick(void);   /* a piece of work is done */
int r1_fault_garbles(void); /* 1: damage this message */
#else
static inline void r1_fault_point(void) {
}
static inline void r1_fault_tick(void) {
}
static inline int r1_fault_garbles(void) {
    return 0;
}
#endif

#endif
