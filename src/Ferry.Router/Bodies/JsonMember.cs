namespace Ferry.Router.Bodies;

/// <summary>Where one member of a JSON object stands in its bytes.</summary>
/// <param name="Name">Unescaped, so that "kv_transfer\u005fparams" is seen for what it is.</param>
/// <param name="Start">Index of the name's opening quote.</param>
/// <param name="ValueStart">Index of the value's first byte.</param>
/// <param name="End">Index behind the value.</param>
public readonly record struct JsonMember(string Name, int Start, int ValueStart, int End);
