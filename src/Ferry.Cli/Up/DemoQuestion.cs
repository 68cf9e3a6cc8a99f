namespace Ferry.Cli.Up;

internal sealed record DemoQuestion(string Question, string Answer);
