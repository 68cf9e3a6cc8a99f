namespace Ferry.Engine.Tokenization;

/// <summary>An entry of <c>added_tokens</c>.</summary>
/// <param name="Special">Skipped by decoding and, unless asked for, not recognised in text.</param>
/// <param name="LeftStrip">White space before it belongs to it.</param>
/// <param name="RightStrip">White space behind it belongs to it.</param>
/// <param name="SingleWord">Recognised only between characters that are no letters, digits or underscores.</param>
/// <param name="Normalized">Looked for in the normalised text.</param>
internal sealed record AddedToken(
    int Id, string Text, bool Special, bool LeftStrip, bool RightStrip, bool SingleWord, bool Normalized);
