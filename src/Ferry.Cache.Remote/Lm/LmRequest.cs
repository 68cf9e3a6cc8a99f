namespace Ferry.Cache.Remote.Lm;

/// <summary>A request's header.</summary>
/// <param name="ValueBytes">Bytes that follow a PUT.</param>
/// <param name="Location">Which of LMCache's backends is meant; echoed by nobody, 0 in what was recorded.</param>
/// <param name="KeyOffset">Where the key starts in the header.</param>
/// <param name="KeyBytes">Without the blanks that pad it.</param>
internal readonly record struct LmRequest(LmCommand Command, int ValueBytes, LmShape Shape, int Location, int KeyOffset, int KeyBytes);
