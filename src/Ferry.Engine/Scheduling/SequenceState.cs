namespace Ferry.Engine.Scheduling;

internal enum SequenceState
{
    /// <summary>In the queue, holding no blocks.</summary>
    Waiting,

    /// <summary>In the queue while its KV is on the way from outside; holds no blocks, keeps its place.</summary>
    WaitingForRemoteKv,

    /// <summary>Holds blocks and takes part in steps.</summary>
    Running,

    /// <summary>Lost its blocks to an older sequence; at the front of the queue, to be recomputed.</summary>
    Preempted,

    Finished,
}
