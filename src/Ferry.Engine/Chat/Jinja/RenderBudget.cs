namespace Ferry.Engine.Chat.Jinja;

/// <summary>Bounds what one rendering may cost: a template comes with a model and may loop for ever or grow without end.</summary>
internal sealed class RenderBudget
{
    // Steps and produced characters together. A conversation of 1,000 messages takes some 100,000 steps and its own length a few times over.
    private const long MaxWork = 256L << 20;
    private const int MaxOutputCharacters = 32 << 20;
    public const int MaxCallDepth = 8;
    public const int MaxRange = 100_000;

    private long _work;

    /// <exception cref="ChatTemplateException">The bound is reached.</exception>
    public void Charge(long work, int line)
    {
        _work += work + 1;
        if (_work > MaxWork) { throw new ChatTemplateException(line, $"rendering takes more than {MaxWork} steps; the template loops or grows without end."); }
    }

    /// <exception cref="ChatTemplateException">The bound is reached.</exception>
    public static void CheckOutput(int characters, int line)
    {
        if (characters > MaxOutputCharacters)
        {
            throw new ChatTemplateException(line, $"the output has more than {MaxOutputCharacters} characters.");
        }
    }
}
