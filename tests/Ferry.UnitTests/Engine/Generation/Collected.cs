using Ferry.Engine.Generation;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>The increments of one choice put together.</summary>
internal sealed record Collected(int[] Tokens, string Text, FinishInfo? Finish, IReadOnlyList<GenerationOutput> Outputs)
{
    public static Collected Of(IReadOnlyList<GenerationOutput> all, int choice)
    {
        GenerationOutput[] outputs = [.. all.Where(o => o.Index == choice)];
        return new Collected(
            [.. outputs.SelectMany(o => o.TokenIds)], string.Concat(outputs.Select(o => o.Text)), outputs.LastOrDefault()?.Finish, outputs);
    }
}
