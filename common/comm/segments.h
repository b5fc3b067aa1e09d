#ifndef R1_COMM_SEGMENTS_H
#define R1_COMM_SEGMENTS_H
/* No litter in /dev/shm (inside common/comm only).
 *
 * Open MPI's shared-memory transport keeps one file of 4 MiB a rank, /dev/shm/vader_segment.*, and
 * removes it in MPI_Finalize: a job that is killed leaves them for ever.  Once all ranks of the node
 * have mapped them nobody needs the names.  A job that is killed before that leaves them all the
 * same: the next one of the same user on the node removes what no process has open or mapped. */

/* After MPI_Init and a barrier of the node: this rank's name goes, the memory stays.  The node's first
 * rank also removes those of dead jobs. */
void r1_segments_hide(void);
/* Before MPI_Finalize: an empty file of that name, which Open MPI expects to remove. */
void r1_segments_show(void);
/* Where MPI_Finalize does not get that far. */
void r1_segments_drop(void);

#endif
