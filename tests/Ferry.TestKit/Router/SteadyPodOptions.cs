namespace Ferry.TestKit.Router;

/// <summary>What a pod for measurements does.</summary>
/// <param name="Blocks">Block ids in kv_transfer_params; 0: a decode pod, which returns none.</param>
/// <param name="Events">Of a stream.</param>
/// <param name="FirstDelay">Before the first byte.</param>
/// <param name="TokenDelay">After each event.</param>
/// <param name="HoldsAfterFirst">A stream that stays open after its first event.</param>
/// <param name="Port">0: any.</param>
/// <param name="Held">Where pods of one process note how long each held a request; the last one's whole answer tells it. Null: nobody does.</param>
public sealed record SteadyPodOptions(
    int Blocks = 0, int Events = 16, TimeSpan FirstDelay = default, TimeSpan TokenDelay = default, bool HoldsAfterFirst = false, int Port = 0, HeldTimes? Held = null);
