namespace Ferry.Engine.Scheduling;

/// <param name="MaxNumSeqs">Sequences that may run at once.</param>
/// <param name="MaxModelLen">Most tokens of one sequence; the pool must hold at least one such sequence.</param>
/// <param name="MaxNumBatchedTokens">Tokens of one step; at least one for each running sequence.</param>
/// <param name="MaxWaiting">Requests that may wait for their first step.</param>
/// <param name="MaxLoads">Sequences that may load from outside at once or hold what they loaded until they are admitted.</param>
/// <param name="BlockTokens">Tokens of one block.</param>
/// <param name="BlockCount">Blocks of the pool.</param>
/// <param name="EnablePrefixCaching">Whether requests share computed blocks. Choices of one request always do.</param>
/// <param name="EnableChunkedPrefill">Whether a prompt may be cut into several steps.</param>
internal sealed record SchedulerLimits(
    int MaxNumSeqs, int MaxModelLen, int MaxNumBatchedTokens, int MaxWaiting, int MaxLoads, int BlockTokens, int BlockCount,
    bool EnablePrefixCaching = true, bool EnableChunkedPrefill = true)
{
    /// <summary>What is wrong with the limits, for the user; empty when they fit together.</summary>
    public IReadOnlyList<string> Errors()
    {
        var errors = new List<string>();
        void AtLeastOne(string name, int value)
        {
            if (value < 1) { errors.Add($"{name} is {value}; it must be at least 1."); }
        }
        AtLeastOne("max_num_seqs", MaxNumSeqs);
        AtLeastOne("max_model_len", MaxModelLen);
        AtLeastOne("max_num_batched_tokens", MaxNumBatchedTokens);
        AtLeastOne("max_waiting", MaxWaiting);
        AtLeastOne("block_size", BlockTokens);
        if (errors.Count > 0) { return errors; }
        if (MaxNumBatchedTokens < MaxNumSeqs)
        {
            errors.Add($"max_num_batched_tokens is {MaxNumBatchedTokens}, less than max_num_seqs ({MaxNumSeqs}), so not every running " +
                "sequence could get a token in a step. Raise the first or lower the second.");
        }
        if ((long)BlockCount * BlockTokens < MaxModelLen)
        {
            errors.Add($"The KV pool has {BlockCount} blocks of {BlockTokens} tokens = {(long)BlockCount * BlockTokens} tokens, less than " +
                $"max_model_len ({MaxModelLen}). Give the KV cache more memory, or lower --max-model-len.");
        }
        if (!EnableChunkedPrefill && MaxNumBatchedTokens < MaxModelLen)
        {
            errors.Add($"max_num_batched_tokens is {MaxNumBatchedTokens}, less than max_model_len ({MaxModelLen}), and chunked prefill is off, " +
                "so a long prompt could never run. Turn on --enable-chunked-prefill, or raise --max-num-batched-tokens.");
        }
        return errors;
    }
}
