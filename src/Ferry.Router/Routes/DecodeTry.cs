using Ferry.Router.Choosing;

namespace Ferry.Router.Routes;

/// <summary>One try of a second leg.</summary>
/// <param name="Answer">What the node answered: to be relayed when <paramref name="Failure"/> is null, or when no other try succeeds. Null when it answered nothing.</param>
/// <param name="Failure">Null: the answer is the client's.</param>
/// <param name="Reason">For logs and the client, in words; null when it did not fail.</param>
internal sealed record DecodeTry(DecodeAnswer? Answer, LegFailure? Failure, string? Reason)
{
    /// <summary>Whether the node may have seen the parameters: it may have fetched the KV and told the prefill node to let go.</summary>
    public bool MayHaveFetched => Failure is not LegFailure.Unreachable;
}
