namespace Ferry.Engine.Chat.Jinja;

/// <summary>Bounds what one rendering may cost: a template comes with a model and may loop for ever or grow without end.</summary>
internal sealed class RenderBudget
{
    // A conversation of 1,000 messages takes some 200,000 steps and handles its own characters a few times over.
    private const long MaxSteps = 1L << 20;
    private const long MaxHandledCharacters = 64L << 20;
    private const int MaxOutputCharacters = 16 << 20;
    public const int MaxCallDepth = 8;
    public const int MaxRange = 100_000;

    private long _steps;
    private long _handled;

    /// <summary>One step, and the characters or items that it makes or looks through.</summary>
    /// <exception cref="ChatTemplateException">The bound is reached.</exception>
    public void Charge(long handled, int line)
    {
        _handled += handled;
        if (++_steps > MaxSteps) { throw new ChatTemplateException(line, $"rendering takes more than {MaxSteps} steps; the template loops without end."); }
        if (_handled > MaxHandledCharacters)
        {
            throw new ChatTemplateException(line, $"rendering handles more than {MaxHandledCharacters} characters; the template grows without end.");
        }
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
