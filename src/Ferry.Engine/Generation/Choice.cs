using Ferry.Engine.Sampling;
using Ferry.Engine.Scheduling;

namespace Ferry.Engine.Generation;

/// <summary>One choice of a request: its sequence, how its tokens are chosen, and its text.</summary>
internal sealed class Choice(RequestState request, Sequence sequence, TokenSampler sampler, OutputText text)
{
    public RequestState Request { get; } = request;

    public Sequence Sequence { get; } = sequence;

    public TokenSampler Sampler { get; } = sampler;

    public OutputText Text { get; } = text;

    /// <summary>Null while it goes on.</summary>
    public FinishReason? Finished { get; set; }

    /// <summary>Prompt tokens not computed when it was first admitted.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Of those, through the connector.</summary>
    public int ExternalTokens { get; set; }

    /// <summary>Time stamps of the <see cref="TimeProvider"/>; null until it happened.</summary>
    public long? FirstScheduled { get; set; }

    public long? FirstToken { get; set; }
}
