{
  "name": "chat.poeticoding.com"
}
