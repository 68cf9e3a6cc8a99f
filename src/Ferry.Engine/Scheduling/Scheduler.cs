using System.Diagnostics;

namespace Ferry.Engine.Scheduling;

/// <summary>Decides which tokens each step computes: continuous batching, chunked prefill, prefix sharing, pre-emption by recomputation.</summary>
/// <remarks>
/// Pure: no clock, no I/O, no tensors; the same calls give the same plans. First come, first served: nobody who waits for
/// blocks is overtaken, the oldest running sequence always advances, and one sequence alone always fits (its limits see to that),
/// so everybody finishes.
/// </remarks>
internal sealed class Scheduler
{
    private readonly SchedulerLimits _limits;
    private readonly BlockManager _blocks;
    private readonly List<Sequence> _waiting = []; // pre-empted first, then by arrival
    private readonly List<Sequence> _running = []; // by admission
    private readonly StepPlan _plan = new();

    /// <exception cref="ArgumentException">The limits do not fit together.</exception>
    public Scheduler(SchedulerLimits limits)
    {
        var errors = limits.Errors();
        if (errors.Count > 0) { throw new ArgumentException(string.Join(" ", errors), nameof(limits)); }
        _limits = limits;
        _blocks = new BlockManager(limits.BlockCount, limits.BlockTokens);
    }

    public IReadOnlyList<Sequence> Running => _running;

    public IReadOnlyList<Sequence> Waiting => _waiting;

    /// <summary>Requests that wait for their first step: what <see cref="SchedulerLimits.MaxWaiting"/> bounds.</summary>
    public int NewRequestsWaiting => _waiting.Count(s => s.Leader is null && !s.WasScheduled);

    public int PreemptionCount { get; private set; }

    public int HeldBlocks => _limits.BlockCount - _blocks.FreeCount;

    /// <summary>Puts a new sequence at the end of the queue. False: the queue is full (further choices of a request that is in are always taken).</summary>
    public bool TryAdd(Sequence sequence)
    {
        if (sequence.Leader is null && NewRequestsWaiting >= _limits.MaxWaiting) { return false; }
        Debug.Assert(sequence.PromptCount > 0 && sequence.PromptCount < _limits.MaxModelLen, "The engine checks prompts before.");
        _waiting.Add(sequence);
        return true;
    }

    /// <summary>The next sequence, in order, whose load is to be decided, or null: none, or enough loads are under way.</summary>
    public Sequence? NextToLoad()
    {
        var loads = _waiting.Count(s => s.State == SequenceState.WaitingForRemoteKv || s.LoadedTokens is not null);
        return loads < _limits.MaxLoads ? _waiting.Find(s => !s.LoadDecided) : null;
    }

    /// <summary>Leading tokens of the sequence that the prefix cache holds now; always leaves at least one token to compute.</summary>
    public int CachedPrefixTokens(Sequence sequence) => FindPrefix(sequence).Count * _limits.BlockTokens;

    public StepPlan Schedule()
    {
        _plan.Clear();
        ScheduleRunning();
        // Blocks that pre-emption freed belong to those that run.
        if (_plan.Preempted.Count == 0) { AdmitWaiting(); }
        return _plan;
    }

    /// <summary>The plan's tokens are computed: their KV is in the blocks, and full blocks can be found by others.</summary>
    public void Complete(StepPlan plan)
    {
        foreach (var (sequence, firstPosition, tokenCount, _) in plan.Scheduled)
        {
            if (sequence.State != SequenceState.Running) { continue; }
            sequence.ComputedTokens = firstPosition + tokenCount;
            sequence.PromptDone |= sequence.ComputedTokens >= sequence.PromptCount;
            for (; (sequence.RegisteredBlocks + 1) * _limits.BlockTokens <= sequence.ComputedTokens; sequence.RegisteredBlocks++)
            {
                var index = sequence.RegisteredBlocks;
                _blocks.Register(sequence.BlockTable.Span[index], sequence.HashOfBlock(index), sequence.BlockTokens(index));
            }
        }
    }

    /// <summary>Ends a sequence in whatever state and gives its blocks back.</summary>
    public void Finish(Sequence sequence)
    {
        ReleaseBlocks(sequence);
        if (!(sequence.State == SequenceState.Running ? _running : _waiting).Remove(sequence))
        {
            throw new UnreachableException($"Request {sequence.RequestId} choice {sequence.Choice} is not in the scheduler.");
        }
        sequence.State = SequenceState.Finished;
    }

    /// <summary>Checks everything that must hold between calls.</summary>
    /// <exception cref="UnreachableException">Something does not hold.</exception>
    public void CheckIntegrity()
    {
        _blocks.CheckIntegrity(_running.Select(s => s.BlockTable));
        foreach (var sequence in _running)
        {
            if (sequence.State != SequenceState.Running || sequence.BlockCount < sequence.BlocksFor(sequence.ComputedTokens))
            {
                throw new UnreachableException($"Running {sequence.RequestId}: {sequence.State}, {sequence.BlockCount} blocks for {sequence.ComputedTokens} tokens.");
            }
        }
        foreach (var sequence in _waiting)
        {
            if (sequence.State is SequenceState.Running or SequenceState.Finished || sequence.BlockCount > 0 || sequence.ComputedTokens > 0)
            {
                throw new UnreachableException($"Waiting {sequence.RequestId}: {sequence.State}, {sequence.BlockCount} blocks.");
            }
        }
        if (_running.Count > _limits.MaxNumSeqs) { throw new UnreachableException($"{_running.Count} sequences run, more than max_num_seqs."); }
    }

    private void ScheduleRunning()
    {
        // Decoding sequences have one token each of the step set aside, so a long prompt never stalls them.
        var decoding = _running.Count(s => s.PendingTokens == 1);
        for (var i = 0; i < _running.Count; i++)
        {
            var sequence = _running[i];
            if (sequence.PendingTokens == 1) { decoding--; }
            var tokenCount = Math.Min(StepTokens(sequence), _limits.MaxNumBatchedTokens - _plan.TokenCount - decoding);
            if (tokenCount <= 0) { continue; }
            var needed = sequence.BlocksFor(sequence.ComputedTokens + tokenCount) - sequence.BlockCount;
            while (_blocks.FreeCount < needed && _running.Count > i + 1)
            {
                if (_running[^1].PendingTokens == 1) { decoding--; }
                Preempt(_running[^1]);
            }
            if (_blocks.FreeCount < needed)
            {
                Preempt(sequence); // the youngest of those left, and older ones have what they need
                return;
            }
            Plan(sequence, needed, tokenCount);
        }
    }

    private void AdmitWaiting()
    {
        for (var i = 0; i < _waiting.Count && _running.Count < _limits.MaxNumSeqs; i++)
        {
            var sequence = _waiting[i];
            if (!IsReady(sequence)) { continue; }
            var prefix = FindPrefix(sequence);
            var (localTokens, externalTokens) = (prefix.Count * _limits.BlockTokens, 0);
            if (sequence.LoadedTokens is { } loaded && loaded.First <= localTokens)
            {
                // At least one token is computed here: its logits choose the next.
                externalTokens = Math.Max(0, Math.Min(loaded.End, sequence.Count - 1) - localTokens);
            }
            var computed = localTokens + externalTokens;
            var tokenCount = Math.Min(StepTokens(sequence, computed), _limits.MaxNumBatchedTokens - _plan.TokenCount);
            var wholePrompt = tokenCount == sequence.Count - computed || sequence.WantsPromptLogits;
            if (tokenCount <= 0 || !(wholePrompt || _limits.EnableChunkedPrefill)) { return; }
            // Room for all that is known, not for this step only: an admission that must be pre-empted soon helps nobody.
            var room = _blocks.FreeCount - prefix.Count(_blocks.IsFree);
            if (sequence.BlocksFor(sequence.Count) - prefix.Count > room) { return; }

            foreach (var block in prefix)
            {
                _blocks.Share(block);
                sequence.AppendBlock(block);
            }
            sequence.ComputedTokens = computed;
            sequence.RegisteredBlocks = prefix.Count;
            _waiting.RemoveAt(i--);
            _running.Add(sequence);
            sequence.State = SequenceState.Running;
            _plan.Admitted.Add(new Admission(sequence, localTokens, externalTokens, First: !sequence.WasScheduled));
            sequence.WasScheduled = true;
            sequence.LoadedTokens = null;
            Plan(sequence, sequence.BlocksFor(computed + tokenCount) - sequence.BlockCount, tokenCount);
        }
    }

    private static bool IsReady(Sequence sequence) =>
        sequence is { LoadDecided: true, State: not SequenceState.WaitingForRemoteKv } &&
        (sequence.Leader is not { } leader || leader.PromptDone || leader.State == SequenceState.Finished);

    private static int StepTokens(Sequence sequence) => StepTokens(sequence, sequence.ComputedTokens);

    private static int StepTokens(Sequence sequence, int computed) =>
        sequence.WantsPromptLogits && computed < sequence.PromptCount ? 1 : sequence.Count - computed;

    private void Plan(Sequence sequence, int newBlocks, int tokenCount)
    {
        for (var i = 0; i < newBlocks; i++) { sequence.AppendBlock(_blocks.Allocate()); }
        var reachesEnd = sequence.ComputedTokens + tokenCount == sequence.Count;
        _plan.Scheduled.Add(new ScheduledTokens(
            sequence, sequence.ComputedTokens, tokenCount, reachesEnd || sequence is { WantsPromptLogits: true, PromptDone: false }));
        _plan.TokenCount += tokenCount;
    }

    private List<int> FindPrefix(Sequence sequence)
    {
        var found = new List<int>();
        if (sequence.WantsPromptLogits) { return found; }
        for (var index = 0; index < (sequence.Count - 1) / _limits.BlockTokens; index++)
        {
            if (_blocks.TryFind(sequence.HashOfBlock(index), sequence.BlockTokens(index)) is not { } block) { break; }
            found.Add(block);
        }
        return found;
    }

    private void Preempt(Sequence sequence)
    {
        ReleaseBlocks(sequence);
        _running.Remove(sequence);
        _waiting.Insert(0, sequence);
        sequence.State = SequenceState.Preempted;
        _plan.Preempted.Add(sequence);
        PreemptionCount++;
    }

    private void ReleaseBlocks(Sequence sequence)
    {
        var table = sequence.BlockTable.Span;
        for (var i = table.Length - 1; i >= 0; i--) { _blocks.Release(table[i]); }
        sequence.ClearBlocks();
    }
}
