namespace Ferry.Engine.Scheduling;

/// <summary>What one step does. The scheduler's own object, valid until its next plan.</summary>
internal sealed class StepPlan
{
    /// <summary>Tokens to compute, one entry a sequence.</summary>
    public List<ScheduledTokens> Scheduled { get; } = [];

    /// <summary>Sequences that got blocks in this step; their loaded KV must be copied in before the model runs.</summary>
    public List<Admission> Admitted { get; } = [];

    public List<Sequence> Preempted { get; } = [];

    public int TokenCount { get; set; }

    public void Clear()
    {
        Scheduled.Clear();
        Admitted.Clear();
        Preempted.Clear();
        TokenCount = 0;
    }
}

/// <param name="FirstPosition">Tokens before it are computed.</param>
/// <param name="WantsLogits">The last of the tokens is the last one known, or every token's logits are wanted.</param>
internal readonly record struct ScheduledTokens(Sequence Sequence, int FirstPosition, int TokenCount, bool WantsLogits);

/// <param name="LocalTokens">Leading tokens found in the engine's own prefix cache.</param>
/// <param name="ExternalTokens">Tokens behind them that the loaded KV brings.</param>
/// <param name="First">False when the sequence comes back from pre-emption.</param>
internal readonly record struct Admission(Sequence Sequence, int LocalTokens, int ExternalTokens, bool First);
