using Ferry.Router.Choosing;

namespace Ferry.Router.Routes;

/// <summary>What both legs of one prompt came to.</summary>
/// <param name="Answer">Null: the prefill node refused the request.</param>
internal sealed record PairAnswer(Choice Choice, PrefillOutcome Outcome, DecodeAnswer? Answer) : IDisposable
{
    public void Dispose()
    {
        Answer?.Dispose();
        Outcome.Dispose();
        Choice.Dispose();
    }
}
