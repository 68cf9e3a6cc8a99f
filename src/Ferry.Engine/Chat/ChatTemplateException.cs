namespace Ferry.Engine.Chat;

/// <summary>A chat template that cannot be parsed or rendered. The message names line and construct.</summary>
/// <param name="line">1-based line of the template.</param>
public sealed class ChatTemplateException(int line, string reason, bool raisedByTemplate = false)
    : Exception(raisedByTemplate ? reason : $"Chat template, line {line}: {reason}")
{
    public int Line { get; } = line;

    /// <summary>True when the template itself called <c>raise_exception</c>: the messages are at fault, not the template.</summary>
    public bool RaisedByTemplate { get; } = raisedByTemplate;
}
