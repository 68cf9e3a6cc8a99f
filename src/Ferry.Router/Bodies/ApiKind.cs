namespace Ferry.Router.Bodies;

/// <summary>Which of the generating endpoints a request came to.</summary>
internal enum ApiKind
{
    Completions,
    Chat,
    Responses,
}
