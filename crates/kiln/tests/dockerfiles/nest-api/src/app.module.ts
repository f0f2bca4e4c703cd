import { Controller, Get, Module } from "@nestjs/common";

@Controller()
class AppController {
  @Get("health")
  health(): { ok: boolean } {
    return { ok: true };
  }
}

@Module({ controllers: [AppController] })
export class AppModule {}
